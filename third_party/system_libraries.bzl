# The system libraries that kvfs stands on, in one list for WORKSPACE (Bazel 4 to 7) and
# MODULE.bazel (Bazel 7 and newer). The packages to install stand in tools/packages.sh. Those at the
# end are the stores that //bench compares kvfs with: nothing else needs them.

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
        name = "libcrypto",
        library = "libcrypto",
        debian_package = "libssl-dev",
        target = "libcrypto",
    )
    system_library(
        name = "libarchive",
        library = "libarchive",
        debian_package = "libarchive-dev",
        target = "libarchive",
    )
    system_library(
        name = "zlib",
        library = "zlib",
        debian_package = "zlib1g-dev",
        target = "zlib",
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
    system_library(
        name = "lmdb",
        library = "lmdb",
        debian_package = "liblmdb-dev",
        target = "lmdb",
    )
    system_library(
        name = "leveldb",
        header = "leveldb/db.h",
        library = "leveldb",
        linkopts = ["-lleveldb"],
        debian_package = "libleveldb-dev",
        target = "leveldb",
    )
    system_library(
        name = "rocksdb",
        library = "rocksdb",
        debian_package = "librocksdb-dev",
        target = "rocksdb",
    )
    system_library(
        name = "sqlite3",
        library = "sqlite3",
        debian_package = "libsqlite3-dev",
        target = "sqlite3",
    )
    # Its .pc file names libraries for static linking that the Debian package does not bring.
    system_library(
        name = "tkrzw",
        header = "tkrzw_dbm_hash.h",
        library = "tkrzw",
        linkopts = ["-ltkrzw"],
        debian_package = "libtkrzw-dev",
        target = "tkrzw",
    )
