# Compiler options of this tree's code, used by kvfs_cc.bzl. Warnings are errors, except in headers
# included as system headers.
KVFS_COPTS = [
    # Public headers are <kvfs/...>, as a user of the library includes them.
    "-Iinclude",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
    # gcc 12 reports it in moved-from std::string and in <regex> once they are inlined, wrongly.
    # -Wuninitialized, which reports certain cases only, stays enabled.
    "-Wno-maybe-uninitialized",
]
