// Sections, lines, fields, strings of an .inf file.
#include "src/cm/inf_text.h"

#include <algorithm>

#include "src/cm/change.h"
#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

struct Directory {
  const char16_t* id;
  const char16_t* path;
};
constexpr Directory kDirectories[] = {
    {u"01", u"C:\\Source"},
    {u"10", u"C:\\Windows"},
    {u"11", u"C:\\Windows\\System32"},
    {u"12", u"C:\\Windows\\System32\\drivers"},
    {u"13", u"C:\\Windows\\System32\\drivers"},  // the driver store: drivers are loaded from where the embedder has them
    {u"17", u"C:\\Windows\\INF"},
    {u"20", u"C:\\Windows\\Fonts"},
    {u"24", u"C:"},
    {u"30", u"C:"},
    {u"16422", u"C:\\Program Files"},
};

bool IsBlank(char16_t c) { return c == u' ' || c == u'\t' || c == u'\r'; }

std::u16string_view Trim(std::u16string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

/// The line up to a comment. Quotes hide semicolons.
std::u16string_view WithoutComment(std::u16string_view line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == u'"') quoted = !quoted;
    else if (line[i] == u';' && !quoted) return line.substr(0, i);
  }
  return line;
}

bool HasOpenQuote(std::u16string_view line) { return std::count(line.begin(), line.end(), u'"') % 2 != 0; }

}  // namespace

const InfLine* InfSection::Find(std::u16string_view key) const {
  for (auto& line : lines)
    if (rtl::EqualUnicode(line.key, key, rtl::Case::kInsensitive)) return &line;
  return nullptr;
}

const InfSection* InfText::Find(std::u16string_view name) const {
  auto found = by_name_.find(rtl::Upcase(name));
  return found == by_name_.end() ? nullptr : found->second;
}

Status InfText::Parse(std::u16string_view text, std::string* why) {
  std::map<std::u16string, std::vector<RawLine>> raw;
  InfSection* current = nullptr;
  unsigned number = 0;
  for (size_t at = 0; at < text.size();) {
    RawLine line{number + 1, {}};
    bool more = true;
    while (more && at < text.size()) {
      const size_t end = std::min(text.find(u'\n', at), text.size());
      std::u16string_view part = Trim(WithoutComment(text.substr(at, end - at)));
      at = end + 1;
      number++;
      // In quotes a backslash is text.
      more = !part.empty() && part.back() == u'\\' && !HasOpenQuote(part) && part[0] != u'[';
      if (more) part.remove_suffix(1);
      line.text += part;
    }
    if (line.text.empty()) continue;
    if (line.text[0] == u'[') {
      const size_t close = line.text.find(u']');
      if (close == std::u16string::npos) return Complain(why, line.number, "a section name without ]");
      if (!Trim(std::u16string_view(line.text).substr(close + 1)).empty())
        return Complain(why, line.number, "unexpected text after a section name");
      const std::u16string name(Trim(std::u16string_view(line.text).substr(1, close - 1)));
      if (name.empty()) return Complain(why, line.number, "an empty section name");
      auto& entry = by_name_[rtl::Upcase(name)];
      if (!entry) {
        entry = &sections_.emplace_back();
        entry->name = name;
        entry->number = line.number;
      }
      current = entry;
      continue;
    }
    if (!current) return Complain(why, line.number, "text before the first section");
    if (HasOpenQuote(line.text)) return Complain(why, line.number, "a quote is not closed");
    raw[rtl::Upcase(current->name)].push_back(std::move(line));
  }
  ReadStrings(raw);
  for (auto& section : sections_)
    for (auto& line : raw[rtl::Upcase(section.name)]) NT_TRY(SplitLine(line, why, &section.lines.emplace_back()));
  return STATUS_SUCCESS;
}

/// [Strings], and for names that it lacks the sections [Strings.LanguageId].
void InfText::ReadStrings(const std::map<std::u16string, std::vector<RawLine>>& raw) {
  const auto read = [&](const std::vector<RawLine>& lines) {
    for (auto& line : lines) {
      const size_t equals = line.text.find(u'=');
      if (equals == std::u16string::npos) continue;
      const std::u16string_view name = Trim(std::u16string_view(line.text).substr(0, equals));
      const std::u16string_view value = Trim(std::u16string_view(line.text).substr(equals + 1));
      std::u16string text;
      for (size_t i = 0; i < value.size(); i++) {
        if (value[i] != u'"') text.push_back(value[i]);
        else if (i + 1 < value.size() && value[i + 1] == u'"' && i != 0) text.push_back(value[i++]);
      }
      strings_.emplace(rtl::Upcase(name), text);
    }
  };
  if (auto plain = raw.find(u"STRINGS"); plain != raw.end()) read(plain->second);
  for (auto& [name, lines] : raw)
    if (name.rfind(u"STRINGS.", 0) == 0) read(lines);
}

std::u16string InfText::Substitute(std::u16string_view text) const {
  std::u16string result;
  while (!text.empty()) {
    const size_t end = text[0] == u'%' ? text.find(u'%', 1) : std::u16string_view::npos;
    if (end == std::u16string_view::npos) {
      result.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    const std::u16string_view name = text.substr(1, end - 1);
    auto found = strings_.find(rtl::Upcase(name));
    const auto* directory = std::find_if(std::begin(kDirectories), std::end(kDirectories),
                                         [&](const Directory& candidate) { return name == candidate.id; });
    if (name.empty()) result.push_back(u'%');
    else if (found != strings_.end()) result += found->second;
    else if (directory != std::end(kDirectories)) result += directory->path;
    else {
      result.push_back(u'%');  // no token: the percent sign is text
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(end + 1);
  }
  return result;
}

Status InfText::SplitLine(const RawLine& raw, std::string* why, InfLine* line) const {
  line->number = raw.number;
  std::u16string_view text = raw.text;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == u'"') quoted = !quoted;
    else if (!quoted && text[i] == u',') break;
    else if (!quoted && text[i] == u'=') {
      line->key = Substitute(Trim(text.substr(0, i)));
      text.remove_prefix(i + 1);
      break;
    }
  }
  // Blanks around a field fall; those in quotes stay. Two quotes in quotes are one.
  std::u16string field;
  size_t keep = 0;  // what blanks at the end of the field must not be cut below
  quoted = false;
  const auto finish = [&] {
    while (field.size() > keep && IsBlank(field.back())) field.pop_back();
    line->fields.push_back(Substitute(field));
    field.clear();
    keep = 0;
  };
  for (size_t i = 0; i < text.size(); i++) {
    const char16_t c = text[i];
    if (quoted) {
      if (c != u'"') field.push_back(c);
      else if (i + 1 < text.size() && text[i + 1] == u'"') field.push_back(text[i++]);
      else quoted = false;
      keep = field.size();
    } else if (c == u'"') {
      quoted = true;
    } else if (c == u',') {
      finish();
    } else if (!IsBlank(c) || !field.empty()) {
      field.push_back(c);
    }
  }
  if (quoted) return Complain(why, raw.number, "a quote is not closed");
  finish();
  return STATUS_SUCCESS;
}

}  // namespace nt::cm
