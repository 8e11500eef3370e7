# One repository per system library: its link flags come from pkg-config, its headers stay where
# the distribution put them. Nothing is downloaded.
#
# Headers in the compiler's own search path need no flag; a directory beyond it (fuse3 has one) is
# linked into the repository and handed on as a system include, so that warnings in it do not
# count. A library without a .pc file is known by one of its headers, and by its link flags if it
# has more than headers. A library that is absent stops the build with the package to install; one
# that only targets tagged "manual" need is not asked for until one of them is built.

_SEARCHED_BY_COMPILER = ["/usr/include", "/usr/local/include"]

def _missing(ctx, what):
    fail(("\n\n{} is not installed ({}).\n" +
          "On Debian or Ubuntu:  apt-get install pkg-config {}\n" +
          "Elsewhere install the development files of the same library.\n").format(
        ctx.attr.library,
        what,
        ctx.attr.debian_package,
    ))

def _flags(ctx, option):
    program = ctx.which("pkg-config")
    if not program:
        _missing(ctx, "there is no pkg-config to ask")
    result = ctx.execute([program, option, ctx.attr.library])
    if result.return_code != 0:
        _missing(ctx, "pkg-config does not know it")
    return [flag for flag in result.stdout.strip().split(" ") if flag]

def _require_header(ctx):
    for directory in _SEARCHED_BY_COMPILER:
        if ctx.path(directory + "/" + ctx.attr.header).exists:
            return
    _missing(ctx, "no header <{}>".format(ctx.attr.header))

def _link_include_directories(ctx, cflags):
    directories = [flag[2:] for flag in cflags if flag.startswith("-I")]
    linked = []
    for directory in directories:
        if directory.rstrip("/") not in _SEARCHED_BY_COMPILER:
            name = "include{}".format(len(linked))
            ctx.symlink(directory, name)
            linked.append(name)
    return linked

def _defines(cflags):
    return [flag[2:] for flag in cflags if flag.startswith("-D")]

_LOAD = """load("@rules_cc//cc:defs.bzl", "cc_library")
"""

_LIBRARY = """
cc_library(
    name = "{name}",
    hdrs = glob([{globs}]),
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
    deps = {deps},
    visibility = ["//visibility:public"],
)
"""

def _system_library_impl(ctx):
    cflags = []
    linkopts = []
    if ctx.attr.header:
        _require_header(ctx)
        linkopts = ctx.attr.linkopts
    else:
        cflags = _flags(ctx, "--cflags")
        linkopts = _flags(ctx, "--libs")
    includes = _link_include_directories(ctx, cflags)
    build = _LOAD + _LIBRARY.format(
        name = ctx.attr.target,
        globs = ", ".join(['"{}/**"'.format(directory) for directory in includes]),
        defines = _defines(cflags),
        includes = includes,
        linkopts = linkopts,
        deps = [],
    )
    for name, flags in ctx.attr.more_targets.items():
        build += _LIBRARY.format(
            name = name,
            globs = "",
            defines = [],
            includes = [],
            linkopts = flags,
            deps = [":" + ctx.attr.target],
        )
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD.bazel", build)

system_library = repository_rule(
    implementation = _system_library_impl,
    attrs = {
        "library": attr.string(mandatory = True, doc = "The name pkg-config knows it by."),
        "debian_package": attr.string(mandatory = True),
        "header": attr.string(doc = "Set for libraries without a .pc file: looked for in its place."),
        "linkopts": attr.string_list(doc = "With `header`: what a .pc file would say of linking."),
        "target": attr.string(mandatory = True, doc = "The label: @name//:target."),
        "more_targets": attr.string_list_dict(doc = "Further targets over it: name -> link flags."),
    },
    environ = ["PATH", "PKG_CONFIG_PATH"],
    local = True,
)
