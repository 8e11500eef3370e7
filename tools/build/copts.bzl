# Warnings are errors, in our own code only: system headers come in as system includes.
KVFS_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
    # gcc 12 sees it in moved-from std::string and in <regex> once they are inlined, where nothing
    # is wrong. What is certain, -Wuninitialized, stays on.
    "-Wno-maybe-uninitialized",
]
