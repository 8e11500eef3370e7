// The names of the formats, and which of them are byte streams.

#include "cli/transfer/transfer_format.h"

#include <array>

namespace kvfs::cli {
namespace {

struct Row {
  std::string_view name;
  TransferFormat format;
};
constexpr std::array kRows = {
    Row{"tree", TransferFormat::kTree},       Row{"tar", TransferFormat::kTar},
    Row{"jsonl", TransferFormat::kJsonLines}, Row{"lmdb", TransferFormat::kLmdb},
    Row{"smkv", TransferFormat::kSmkv},
};

}  // namespace

std::optional<TransferFormat> FindTransferFormat(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

std::vector<std::string> TransferFormatNames() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

bool IsStream(TransferFormat format) {
  return format != TransferFormat::kTree && format != TransferFormat::kSmkv;
}

}  // namespace kvfs::cli
