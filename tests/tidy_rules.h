// The rules of the tree that no compiler holds: which way includes point, where the operating
// system and libfuse may be named, and what no file may contain.
//
// A rule looks at one file, given as its path from the top of the tree and its text, so that a
// test can hand it files that never existed. Findings read like a compiler's: "path:line: what".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvfs::tidy {

// A part of the tree, as the diagram of docs/design.md draws them.
enum class Layer {
  kVocabulary,  // store/status.h, store/bytes.h, ...: the standard library only
  kFormat,      // store/format: bytes on disk, pure
  kEnv,         // store/env: the operating system
  kEngine,      // the rest of store/
  kPublic,      // store/store.h and what a user of it needs
  kFs,
  kCli,
  kBench,
  kTests,
  kOther,  // build files, documents, scripts
};

[[nodiscard]] Layer LayerOf(std::string_view path);

// Every finding in one file, in the order of its lines.
[[nodiscard]] std::vector<std::string> Check(std::string_view path, std::string_view text);

}  // namespace kvfs::tidy
