# What Debian's Bazel 4.2.3 would download, answered from this machine.
#
# rules_cc hands on the rules that Bazel 4 has built in; Java and proto rules are Debian packages
# (Bazel's own C++ and test rules load them). The coverage tools are never run here; tests that are
# built with counters must only name some.

_CC_RULES = [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
]

def _rules_cc_impl(ctx):
    ctx.file("WORKSPACE", "")
    ctx.file("BUILD.bazel", "")
    ctx.file("cc/BUILD.bazel", "")
    lines = ["{0} = native.{0}".format(rule) for rule in _CC_RULES]
    ctx.file("cc/defs.bzl", "\n".join(lines) + "\n")

_rules_cc = repository_rule(implementation = _rules_cc_impl, local = True)

def _coverage_impl(ctx):
    ctx.file("WORKSPACE", "")
    ctx.file("merge.sh", "exit 1\n")
    ctx.file("BUILD.bazel", """filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)

sh_binary(
    name = "lcov_merger",
    srcs = ["merge.sh"],
    visibility = ["//visibility:public"],
)
""")

_coverage_tools = repository_rule(implementation = _coverage_impl, local = True)

def _debian_rules_impl(ctx):
    source = ctx.path(ctx.attr.path)
    if not source.exists:
        fail("\n\n{} is missing.\nOn Debian:  apt-get install {}\n".format(
            ctx.attr.path,
            ctx.attr.debian_package,
        ))
    for entry in source.readdir():
        ctx.symlink(entry, entry.basename)

_debian_rules = repository_rule(
    implementation = _debian_rules_impl,
    attrs = {
        "path": attr.string(mandatory = True),
        "debian_package": attr.string(mandatory = True),
    },
    local = True,
)

def bazel4_repositories():
    _rules_cc(name = "rules_cc")
    _coverage_tools(name = "remote_coverage_tools")
    _debian_rules(
        name = "rules_java",
        debian_package = "bazel-rules-java",
        path = "/usr/share/bazel/rules/java",
    )
    _debian_rules(
        name = "rules_proto",
        debian_package = "bazel-rules-proto",
        path = "/usr/share/bazel/rules/proto",
    )
