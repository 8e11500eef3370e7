// The records that precede a tar entry (pax): KEY=VALUE, its own and those of global headers.
// Reports what a store cannot hold, and what libarchive gets wrong.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cli/transfer/tar_header_reader.h"

namespace kvfs::cli {

// Visits each record of a header's body; false at an invalid one, where libarchive stops, too:
// names and sizes may follow it.
using PaxVisitor = std::function<void(std::string_view key, std::string_view value)>;
bool ForPaxRecords(std::string_view body, const PaxVisitor& visit);

// The records of one entry. What they say, and their flaws, go into `out`.
class PaxRecords {
 public:
  PaxRecords(TarGlobals& globals, TarHeaders& out) : globals_(globals), out_(out) {}

  // A record of the entry; of a global header. If a key is repeated, the last value counts, by the
  // format.
  void Take(std::string_view key, std::string_view value);
  void TakeGlobal(std::string_view key, std::string_view value);
  // Whether a record replaces this field of the header.
  bool Overrides(std::string_view key) const;
  // The time of the header itself, which counts if a record is empty; or that it is not a number.
  void SetHeaderTime(const fs::Timespec& time) { header_mtime_ = time; }
  void RefuseHeaderTime();
  // After the last record.
  void Finish();

 private:
  void TakeXattr(std::string_view key, std::string_view value);
  void CheckLists();
  std::optional<fs::Timespec> TimeOf(std::string_view key);
  std::optional<uint32_t> OwnerOf(std::string_view key);
  void TakeGlobals();

  TarGlobals& globals_;
  TarHeaders& out_;
  std::map<std::string, std::string, std::less<>> own_;
  std::optional<fs::Timespec> header_mtime_;
  std::set<std::string> xattrs_;  // names that records of GNU tar's kind give
};

}  // namespace kvfs::cli
