// A change that a file asks for. Files are parsed to a list of these; only a file without errors is applied. Private to cm.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/cm/registry.h"

namespace nt::cm {

struct Change {
  enum class Kind {
    kCreateKey,
    kDeleteKey,     // with all below; a missing key is no error
    kSetValue,
    kDeleteValue,   // a missing value is no error
    kAppendStrings, // to a REG_MULTI_SZ, those it lacks
  };
  enum class When { kAlways, kValueMissing, kValuePresent };

  Kind kind;
  std::u16string path;
  std::u16string name;
  Value value;
  When when = When::kAlways;
  unsigned line = 0;
};

/// Stops at the first change that fails and says which: `why` names the line.
Status ApplyChanges(const std::vector<Change>& changes, std::string* why);

/// UTF-16LE or UTF-8 with a byte order mark; without one UTF-8, or the ANSI code page when it is no UTF-8.
Status DecodeText(std::string_view text, std::u16string* decoded, std::string* why);

/// Sets *why to "line N: message". @returns STATUS_REGISTRY_CORRUPT
Status Complain(std::string* why, unsigned line, const std::string& message);

/// The strings of a REG_MULTI_SZ, and back.
std::vector<std::u16string> SplitStrings(const Value& value);
Value JoinStrings(const std::vector<std::u16string>& strings);

}  // namespace nt::cm
