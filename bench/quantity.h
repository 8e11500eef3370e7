// Numbers as people write and read them: "10M", "2G", "1,000,000", "0.512", "1.9x".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvfs::bench {

// Digits, and one of k, M, G (thousands) or Ki, Mi, Gi (powers of two) behind them, or nothing.
// Nothing for what is not such a number, or does not fit 64 bits.
std::optional<uint64_t> ParseQuantity(std::string_view text);

std::string WithSeparators(uint64_t number);  // 1,000,000
std::string ThreeDigits(double number);       // 0.512, 11.0, 512, 12345
std::string Ratio(double ratio);              // 0.85x, 1.9x, 14x
std::string Mebibytes(double bytes);          // in MiB, without the unit

}  // namespace kvfs::bench
