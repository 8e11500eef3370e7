# This tree's cc_library and so on: warnings are errors, and public headers are <kvfs/...>.

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load(":copts.bzl", "KVFS_COPTS")

def kvfs_library(copts = [], **attributes):
    cc_library(copts = KVFS_COPTS + copts, **attributes)

def kvfs_test(copts = [], **attributes):
    cc_test(copts = KVFS_COPTS + copts, **attributes)

def kvfs_binary(copts = [], **attributes):
    cc_binary(copts = KVFS_COPTS + copts, **attributes)
