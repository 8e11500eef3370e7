// The possible contents of a store after a run with failures: for each key, the set of values of
// which one must be present. Acknowledged operations are certain; an operation that failed, or was
// under way when the process died, may have happened or not.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <kvfs/store.h>

namespace kvfs::faults {

// A value is generated from its key's name and a version; version 0 means that the key is absent.
std::string ValueOf(const std::string& name, uint64_t version);
// The version of a value; nothing if it is not a valid value.
uint64_t VersionOf(const std::string& name, const std::string& value);
inline constexpr uint64_t kNoVersion = ~uint64_t{0};

class Expectation {
 public:
  void MayBecome(const std::string& name, uint64_t version) { Of(name).insert(version); }
  void HasBecome(const std::string& name, uint64_t version) { Of(name) = {version}; }
  bool Allows(const std::string& name, uint64_t version) { return Of(name).contains(version); }
  bool MustExist(const std::string& name) { return !Of(name).contains(0); }
  // A key that has ever existed; empty if there is none.
  const std::map<std::string, std::set<uint64_t>>& keys() const { return keys_; }

  // Opens, reads and checks the store; returns the fault found, or nothing. Afterwards the values
  // found are certain.
  std::string Verify(const std::string& path);

 private:
  std::set<uint64_t>& Of(const std::string& name);

  std::map<std::string, std::set<uint64_t>> keys_;
};

}  // namespace kvfs::faults
