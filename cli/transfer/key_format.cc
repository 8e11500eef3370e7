// Modes, times, and the fields of JSON.

#include "cli/transfer/key_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <ctime>

namespace kvfs::cli {
namespace {

struct Type {
  uint32_t bits;
  char letter;
  std::string_view name;
};
constexpr Type kTypes[] = {
    {S_IFREG, '-', "file"},         {S_IFDIR, 'd', "directory"}, {S_IFLNK, 'l', "link"},
    {S_IFIFO, 'p', "fifo"},         {S_IFSOCK, 's', "socket"},   {S_IFCHR, 'c', "character device"},
    {S_IFBLK, 'b', "block device"},
};
constexpr Type kUnknownType = {0, '?', "unknown"};

const Type& TypeOf(const fs::Attributes& attributes) {
  for (const Type& type : kTypes) {
    if ((attributes.mode & S_IFMT) == type.bits) return type;
  }
  return kUnknownType;
}

// Years with five or more digits, or before 0, are not written as dates.
bool HasCalendar(int64_t seconds) { return seconds > -62'135'596'800 && seconds < 253'402'300'800; }

}  // namespace

std::string_view KindName(const fs::Attributes& attributes) { return TypeOf(attributes).name; }

std::optional<uint32_t> TypeOfKind(std::string_view name) {
  for (const Type& type : kTypes) {
    if (type.name == name) return type.bits;
  }
  return std::nullopt;
}

std::string ModeText(const fs::Attributes& attributes) {
  const uint32_t mode = attributes.mode;
  std::string text(1, TypeOf(attributes).letter);
  for (const int shift : {6, 3, 0}) {
    text += mode >> shift & 4 ? 'r' : '-';
    text += mode >> shift & 2 ? 'w' : '-';
    text += mode >> shift & 1 ? 'x' : '-';
  }
  if (mode & S_ISUID) text[3] = mode & S_IXUSR ? 's' : 'S';
  if (mode & S_ISGID) text[6] = mode & S_IXGRP ? 's' : 'S';
  if (mode & S_ISVTX) text[9] = mode & S_IXOTH ? 't' : 'T';
  return text;
}

std::string TimeText(const fs::Timespec& time) {
  if (!HasCalendar(time.seconds)) return fmt::format("@{}.{:09}", time.seconds, time.nanoseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(time.seconds), time.nanoseconds);
}

std::optional<fs::Timespec> ParseTime(const std::string& text) {
  const size_t point = text.find('.');
  std::string rest = point == std::string::npos ? text : text.substr(0, point);
  std::string parts = point == std::string::npos ? "" : text.substr(point + 1);
  std::string& last = parts.empty() ? rest : parts;
  const bool is_calendar = last.ends_with('Z');
  if (is_calendar) last.pop_back();
  if (parts.size() > 9 || parts.find_first_not_of("0123456789") != std::string::npos) return {};
  parts.resize(9, '0');
  fs::Timespec time;
  time.nanoseconds = static_cast<uint32_t>(std::stoul(parts));
  if (is_calendar) {
    std::tm calendar{};
    if (::strptime(rest.c_str(), "%Y-%m-%dT%H:%M:%S", &calendar) == nullptr) return {};
    time.seconds = ::timegm(&calendar);
    // strptime(3) turns "2026-02-31" and the like into another day.
    if (!TimeText(time).starts_with(rest + '.')) return {};
    return time;
  }
  const char* const end = rest.data() + rest.size();
  if (!rest.starts_with('@')) return {};
  const auto [stop, error] = std::from_chars(rest.data() + 1, end, time.seconds);
  if (error != std::errc() || stop != end) return {};
  // "-0" has lost its sign.
  if (rest != fmt::format("@{}", time.seconds)) return {};
  return time;
}

std::string LongLine(const fs::InodeInfo& inode) {
  const fs::Attributes& a = inode.attributes;
  const std::string time = HasCalendar(a.mtime.seconds)
                               ? fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(a.mtime.seconds))
                               : TimeText(a.mtime);
  return fmt::format("{} {:>3} {:>5} {:>5} {:>10} {}", ModeText(a), a.links, a.uid, a.gid,
                     inode.size_bytes, time);
}

Json ToJson(const std::string& key, std::string_view name, const fs::InodeInfo& inode) {
  const fs::Attributes& a = inode.attributes;
  Json out;
  SetBytes(out, key, name);
  out["kind"] = KindName(a);
  out["size_bytes"] = inode.size_bytes;
  out["allocated_bytes"] = inode.allocated_bytes;
  out["version"] = inode.version;
  out["inode"] = inode.number;
  out["mode"] = fmt::format("{:04o}", a.mode & 07777);
  out["links"] = a.links;
  out["uid"] = a.uid;
  out["gid"] = a.gid;
  out["mtime"] = TimeText(a.mtime);
  out["ctime"] = TimeText(a.ctime);
  out["atime"] = TimeText(a.atime);
  return out;
}

}  // namespace kvfs::cli
