# Warnings are errors, in our own code only: system headers come in as system includes.
KVFS_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
]
