// The records before a tar entry's old header, for everything that it cannot hold:
// LENGTH KEY=VALUE\n. cli/transfer/pax_records.h reads them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/transfer/tar_header_block.h"
#include "fs/attributes.h"

namespace kvfs::cli {

struct TarRecord {
  std::string key;
  std::string value;
};

using TarRecords = std::vector<TarRecord>;

std::string TextOf(const TarRecords& records);

TarRecords TimeRecords(const fs::Attributes& a);
// An extended attribute. A list is added as text, too, for `tar --acls` and bsdtar.
TarRecords XattrRecords(std::string_view name, std::string_view value);
// Adds records for values that do not fit in the header, and for its names.
void AddLarge(const TarHeader& header, TarRecords& records);
void AddNames(const TarHeader& header, TarRecords& records);
// Whether the records say that the content is a map of a file with holes.
bool HasHoles(const TarRecords& records);

}  // namespace kvfs::cli
