// What a store may hold after a run in which something failed: of each key the values of which one
// must be there. What was acknowledged is certain; what was under way when it failed, or when the
// process died, may have happened or not.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <kvfs/store.h>

namespace kvfs::faults {

// A value is made of its key's name and a version; version 0 is that there is no such key.
std::string ValueOf(const std::string& name, uint64_t version);
// The version of which a value is; nothing if it is of none.
uint64_t VersionOf(const std::string& name, const std::string& value);
inline constexpr uint64_t kNoVersion = ~uint64_t{0};

class Expectation {
 public:
  void MayBecome(const std::string& name, uint64_t version) { Of(name).insert(version); }
  void HasBecome(const std::string& name, uint64_t version) { Of(name) = {version}; }
  bool Allows(const std::string& name, uint64_t version) { return Of(name).contains(version); }
  bool MustExist(const std::string& name) { return !Of(name).contains(0); }
  // Of any key that was ever there; empty if there is none.
  const std::map<std::string, std::set<uint64_t>>& keys() const { return keys_; }

  // Opens the store, reads all of it and has it check itself; what is wrong with it, or nothing.
  // Afterwards the values found are what is certain.
  std::string Verify(const std::string& path);

 private:
  std::set<uint64_t>& Of(const std::string& name);

  std::map<std::string, std::set<uint64_t>> keys_;
};

}  // namespace kvfs::faults
