// Values carry their version in their first words, and are compared to the last byte.
#include "tests/faults/expectation.h"

#include <cstdlib>

namespace kvfs::faults {

std::string ValueOf(const std::string& name, uint64_t version) {
  const std::string begin = name + " " + std::to_string(version) + " ";
  const size_t bytes = version % 23 == 0  ? 70'000 + version % 50'000
                       : version % 5 == 0 ? 3'000 + version % 6'000
                                          : 40 + version % 100;
  std::string value = begin;
  while (value.size() < bytes) value += begin;
  return value;
}

uint64_t VersionOf(const std::string& name, const std::string& value) {
  if (value.size() <= name.size()) return kNoVersion;
  const uint64_t version = std::strtoull(value.c_str() + name.size(), nullptr, 10);
  return value == ValueOf(name, version) ? version : kNoVersion;
}

std::set<uint64_t>& Expectation::Of(const std::string& name) {
  return keys_.try_emplace(name, std::set<uint64_t>{0}).first->second;
}

std::string Expectation::Verify(const std::string& path) {
  std::string wrong;
  OpenOptions open;
  open.idle_ms = 0;
  auto store = Store::Open(GetPosixEnv(), path, open);
  if (!store) return "the store does not open: " + store.error().message;
  for (auto& [name, allowed] : keys_) {
    const auto value = (*store)->Get(name);
    if (!value && value.error().code != ErrorCode::kNotFound) {
      return name + " cannot be read: " + value.error().message;
    }
    const uint64_t version = value ? VersionOf(name, *value) : 0;
    if (!allowed.contains(version)) {
      return name + (value ? " has a value that it cannot have" : " is lost");
    }
    allowed = {version};
  }
  size_t listed = 0, present = 0;
  for (const auto& [name, allowed] : keys_) present += allowed.contains(0) ? 0 : 1;
  const auto list =
      (*store)->List(kRootDirectory, 0, [&](const ListedEntry&) { return ++listed > 0; });
  if (!list) return "it cannot be listed: " + list.error().message;
  if (listed != present) {
    return "a listing shows " + std::to_string(listed) + " keys of " + std::to_string(present);
  }
  for (const bool after : {false, true}) {
    CheckOptions check;
    check.on_finding = [&](const CheckFinding& finding) {
      if (finding.kind == CheckFinding::Kind::kDamage) wrong = finding.message;
    };
    const auto report = (*store)->Check(check);
    if (!report) return "it cannot be checked: " + report.error().message;
    if (!wrong.empty()) return "a check finds damage: " + wrong;
    if (after) break;
    if (const auto done = (*store)->Checkpoint(); !done) {
      return "no checkpoint can be taken: " + done.error().message;
    }
  }
  if (const auto closed = (*store)->Close(); !closed) {
    return "it cannot be closed: " + closed.error().message;
  }
  return {};
}

}  // namespace kvfs::faults
