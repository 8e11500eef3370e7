# The system libraries as a module extension: read by MODULE.bazel only (Bazel 7 and newer).

load("//third_party:system_libraries.bzl", "system_libraries")

def _impl(_ctx):
    system_libraries()

system_libraries_extension = module_extension(implementation = _impl)
