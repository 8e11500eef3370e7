// Defines each command on a parser that never parses, and queries its options.

#include "cli/commands/command_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/base/version.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct OptionText {
  std::vector<std::string> names;  // "-l", "--long"; one without dashes if positional
  std::string value;               // the name of its value; empty for a flag
  std::string description;
  bool is_positional = false;
};

struct CommandText {
  std::string name;
  std::string summary;
  std::string footer;
  std::vector<OptionText> options;
};

OptionText Describe(const CLI::Option& option) {
  OptionText text;
  text.description = option.get_description();
  text.is_positional = option.get_positional();
  if (text.is_positional) {
    text.names.push_back(option.get_name(true));
    return text;
  }
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) {
    text.value = option.get_type_name();
    if (text.value.find_first_of(":{[ ") != std::string::npos) text.value = "VALUE";
  }
  return text;
}

CommandText Describe(const Command& command) {
  CLI::App parser(command.summary, command.name);
  const Runner runner = DefineWhole(command, parser);
  CommandText text{command.name, command.summary, parser.get_footer(), {}};
  for (const CLI::Option* const option : parser.get_options()) {
    text.options.push_back(Describe(*option));
  }
  return text;
}

std::vector<CommandText> DescribeAll() {
  std::vector<CommandText> all;
  for (const Command& command : Commands()) all.push_back(Describe(command));
  return all;
}

std::string Join(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

// In single quotes, which suit all three shells.
std::string Quote(std::string text) {
  std::erase(text, '\'');
  std::ranges::replace(text, '\n', ' ');
  return "'" + text + "'";
}

// In zsh, a description ends at a bracket.
std::string ZshText(std::string text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']' || c == '\'' || c == ':'; });
  return text;
}

// roff interprets backslashes anywhere, and dots and quotes at the beginning of a line.
std::string Roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string RoffOption(const OptionText& option) {
  std::string text;
  for (const std::string& name : option.names) {
    text += (text.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", Roff(name));
  }
  if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", Roff(option.value));
  return text;
}

std::string RoffCommand(const CommandText& command) {
  std::string synopsis;
  std::string options;
  for (const OptionText& option : command.options) {
    if (option.is_positional) synopsis += fmt::format(" \\fI{}\\fR", Roff(option.names[0]));
    if (option.names.back() == "--help") continue;
    options += fmt::format(".TP\n{}\n{}\n", RoffOption(option), Roff(option.description));
  }
  // Examples are not refilled.
  std::string footer = Roff(command.footer);
  const size_t example = footer.find("Example:");
  if (example != std::string::npos) footer.insert(example, ".PP\n.nf\n");
  return fmt::format(".SS \\fBkvfs {}\\fR [\\fIoptions\\fR]{}\n{}.\n{}.PP\n{}\n.fi\n", command.name,
                     synopsis, Roff(command.summary), options, footer);
}

constexpr std::string_view kStatus = R"(.SH EXIT STATUS
.TP
0
done
.TP
1
usage: the command line or the input is invalid
.TP
2
there is no store at the path, or what is there is not one; for create: there is one already; for
bench: there is no such directory
.TP
3
the store is in use by another process, which the message names
.TP
4
the store is damaged
.TP
5
the mount point cannot be used
.TP
6
FUSE is not available
.TP
7
the kernel did not accept the mount
.TP
8
not everything could be written when the store was closed, or its daemon had died, or cannot be
found, so that this is unknown
.TP
9
no space on the disk, or a file size limit is exceeded
.TP
10
the store's format version is unknown to this program
.TP
11
no such key; for an empty value the status is 0
.TP
12
the operating system failed a read or write, or forbids it, or has too little memory or too few
descriptors for this process; or an input file, or the directory of an output, is missing
.TP
13
the key is not of the kind that the command needs; or import, export, ls or repair left out some
entries, each of which was named, and the rest is done
.TP
14
a condition does not hold: \-\-if\-absent, \-\-if\-version, an expectation of a batch
.TP
15
interrupted by a signal; the message says how far it got
.PP
\fBkvfs check\fR, also as \fBfsck.kvfs\fR, ends as \fBfsck\fR(8) does: 0 sound, 4 not sound, 8 it
could not be checked, 16 usage, 32 ended by a signal.
.SH SEE ALSO
\fBmount.kvfs\fR(8), \fBkvfs\fR(5)
)";

}  // namespace

std::string BashCompletion() {
  std::vector<std::string> names;
  std::string cases;
  for (const CommandText& command : DescribeAll()) {
    std::vector<std::string> options;
    for (const OptionText& option : command.options) {
      if (!option.is_positional)
        options.insert(options.end(), option.names.begin(), option.names.end());
    }
    names.push_back(command.name);
    cases += fmt::format("    {}) options={} ;;\n", command.name, Quote(Join(options, " ")));
  }
  return fmt::format(
      "# Completion of kvfs for bash; made by `kvfs completion bash`.\n"
      "_kvfs() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} options=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W {} -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
      "  else\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -F _kvfs kvfs\n",
      Quote(Join(names, " ")), cases);
}

std::string ZshCompletion() {
  std::string commands;
  std::string cases;
  for (const CommandText& command : DescribeAll()) {
    commands += fmt::format("    '{}:{}'\n", command.name, ZshText(command.summary));
    cases += fmt::format("    {}) _arguments", command.name);
    for (const OptionText& option : command.options) {
      if (option.is_positional) continue;
      for (const std::string& name : option.names) {
        cases += fmt::format(" '{}[{}]{}'", name, ZshText(option.description),
                             option.value.empty() ? "" : ":" + ZshText(option.value) + ":_files");
      }
    }
    cases += " '*:file:_files' ;;\n";
  }
  return fmt::format(
      "#compdef kvfs\n"
      "# Completion of kvfs for zsh; made by `kvfs completion zsh`.\n"
      "local -a commands\n"
      "commands=(\n{}  )\n"
      "if (( CURRENT == 2 )); then\n"
      "  _describe command commands\n"
      "else\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $command in\n{}  esac\n"
      "fi\n",
      commands, cases);
}

std::string FishCompletion() {
  std::string out = "# Completion of kvfs for fish; made by `kvfs completion fish`.\n";
  for (const CommandText& command : DescribeAll()) {
    out += fmt::format("complete -c kvfs -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       Quote(command.summary));
    for (const OptionText& option : command.options) {
      if (option.is_positional) continue;
      out += fmt::format("complete -c kvfs -n '__fish_seen_subcommand_from {}'", command.name);
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out +=
          fmt::format("{} -d {}\n", option.value.empty() ? "" : " -r", Quote(option.description));
    }
  }
  return out;
}

std::string ManualPage() {
  std::string out = fmt::format(
      ".\\\" Made by `kvfs manual` from the table of commands.\n"
      ".TH KVFS 1 \"\" \"kvfs {}\" \"User Commands\"\n"
      ".SH NAME\nkvfs \\- a key\\-value store that you use as files\n"
      ".SH SYNOPSIS\n\\fBkvfs\\fR \\fICOMMAND\\fR ...\n.br\n"
      "\\fBkvfs\\fR \\fISTORE\\fR \\fIMOUNTPOINT\\fR [\\fB\\-o\\fR \\fIOPTION\\fR,...]\n"
      ".SH DESCRIPTION\n"
      "A store is a directory of a few files that holds any number of keys and their values. "
      "Mounted, every key is a file. The commands below work on a store whether it is mounted or "
      "not: requests for a mounted store go to its daemon.\n"
      ".SH COMMANDS\n",
      kVersion);
  for (const CommandText& command : DescribeAll()) out += RoffCommand(command);
  return out + std::string(kStatus);
}

}  // namespace kvfs::cli
