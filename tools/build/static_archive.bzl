# One static library of everything in the given cc_libraries, for programs that are not built by
# Bazel. System libraries (such as libxxhash) are not included: the program must link them.

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _archives(ctx):
    archives = {}
    for dep in ctx.attr.deps:
        for linked in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linked.libraries:
                archive = library.pic_static_library or library.static_library
                if archive:
                    archives[archive.path] = archive
    return archives.values()

# ar's script language keeps several members with the same name, unlike its options.
def _static_archive_impl(ctx):
    out = ctx.actions.declare_file(ctx.attr.archive)
    archives = _archives(ctx)
    script = "create {}\n{}save\nend\n".format(
        out.path,
        "".join(["addlib {}\n".format(archive.path) for archive in archives]),
    )
    toolchain = find_cpp_toolchain(ctx)
    ctx.actions.run_shell(
        inputs = depset(archives, transitive = [toolchain.all_files]),
        outputs = [out],
        command = "printf '%s' \"$1\" | {} -M".format(toolchain.ar_executable),
        arguments = [script],
        mnemonic = "StaticArchive",
    )
    return DefaultInfo(files = depset([out]), runfiles = ctx.runfiles(files = [out]))

static_archive = rule(
    implementation = _static_archive_impl,
    attrs = {
        "archive": attr.string(mandatory = True),  # its name
        "deps": attr.label_list(providers = [CcInfo], mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
