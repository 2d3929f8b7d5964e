// The text of an .inf file: sections of lines of fields. Private to cm.
//
//   [Section]                  names are compared without case; a name used twice is one section
//   key = field, "field, with comma", field   ; comment
// A backslash at the end of a line continues it.
// %name% is replaced from [Strings], %12% by a directory, %% by one percent sign; an unknown name stays as it is.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status.h"

namespace nt::cm {

struct InfLine {
  unsigned number;
  std::u16string key;                  // before =, or empty
  std::vector<std::u16string> fields;  // substituted; empty ones between commas are kept
  std::u16string_view Field(size_t index) const {
    return index < fields.size() ? std::u16string_view(fields[index]) : std::u16string_view();
  }
};

struct InfSection {
  std::u16string name;
  unsigned number = 0;  // line of its head
  std::vector<InfLine> lines;
  /// The first line with this key, or nullptr.
  const InfLine* Find(std::u16string_view key) const;
};

class InfText {
 public:
  /// Needs decoded text. @returns what Complain returns
  Status Parse(std::u16string_view text, std::string* why);
  const InfSection* Find(std::u16string_view name) const;
  const std::deque<InfSection>& sections() const { return sections_; }

 private:
  struct RawLine {
    unsigned number;
    std::u16string text;  // continued lines joined, comments removed
  };
  Status SplitLine(const RawLine& raw, std::string* why, InfLine* line) const;
  std::u16string Substitute(std::u16string_view text) const;
  void ReadStrings(const std::map<std::u16string, std::vector<RawLine>>& raw);

  std::deque<InfSection> sections_;
  std::map<std::u16string, InfSection*> by_name_;  // upcased
  std::map<std::u16string, std::u16string> strings_;  // upcased name -> text
};

}  // namespace nt::cm
