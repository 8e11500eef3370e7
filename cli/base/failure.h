// How a command ends that could not do its work: an exit code for the script that called it, and
// one sentence for the person: what failed, on what, why, and what to do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "cli/base/exit_codes.h"

namespace kvfs::cli {

struct Failure {
  ExitCode code;
  // Without the leading "kvfs: " and without a final newline.
  std::string text;
};

template <typename T>
using Answer = tl::expected<T, Failure>;
using Outcome = Answer<void>;

[[nodiscard]] inline tl::unexpected<Failure> Stop(ExitCode code, std::string text) {
  return tl::unexpected<Failure>(Failure{code, std::move(text)});
}

}  // namespace kvfs::cli
