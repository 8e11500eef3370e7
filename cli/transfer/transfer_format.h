// The formats of `kvfs import` and `kvfs export`, by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvfs::cli {

enum class TransferFormat { kTree, kTar, kJsonLines, kLmdb, kSmkv };

std::optional<TransferFormat> FindTransferFormat(std::string_view name);
std::vector<std::string> TransferFormatNames();

// Whether the format is one byte stream, and so may be standard input or output.
bool IsStream(TransferFormat format);

}  // namespace kvfs::cli
