# The system libraries that kvfs stands on, in one list for WORKSPACE (Bazel 4 to 7) and
# MODULE.bazel (Bazel 7 and newer). The packages to install stand in tools/packages.sh.

load("//third_party:pkg_config.bzl", "system_library")

def system_libraries():
    system_library(
        name = "fuse3",
        library = "fuse3",
        debian_package = "libfuse3-dev",
        target = "fuse3",
    )
    system_library(
        name = "xxhash",
        library = "libxxhash",
        debian_package = "libxxhash-dev",
        target = "xxhash",
    )
    system_library(
        name = "fmt",
        library = "fmt",
        debian_package = "libfmt-dev",
        target = "fmt",
    )
    system_library(
        name = "gtest",
        library = "gtest",
        debian_package = "libgtest-dev",
        more_targets = {"gtest_main": ["-lgtest_main"]},
        target = "gtest",
    )
    system_library(
        name = "gmock",
        library = "gmock",
        debian_package = "libgmock-dev",
        target = "gmock",
    )
    system_library(
        name = "cli11",
        header = "CLI/CLI.hpp",
        library = "CLI11",
        debian_package = "libcli11-dev",
        target = "cli11",
    )
    system_library(
        name = "nlohmann_json",
        header = "nlohmann/json.hpp",
        library = "nlohmann_json",
        debian_package = "nlohmann-json3-dev",
        target = "nlohmann_json",
    )
    system_library(
        name = "tl_expected",
        header = "tl/expected.hpp",
        library = "tl-expected",
        debian_package = "libexpected-dev",
        target = "tl_expected",
    )
