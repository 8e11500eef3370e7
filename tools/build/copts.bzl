# Options of our own code; kvfs_cc.bzl hands them on. Warnings are errors, but in headers of the
# system, which come in as such.
KVFS_COPTS = [
    # Public headers are <kvfs/...>, as a user of the library includes them.
    "-Iinclude",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
    # gcc 12 sees it in moved-from std::string and in <regex> once they are inlined, where nothing
    # is wrong. What is certain, -Wuninitialized, stays on.
    "-Wno-maybe-uninitialized",
]
