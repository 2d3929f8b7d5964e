// .reg files, as the registry editor writes them.
//
//   Windows Registry Editor Version 5.00        or REGEDIT4, whose hex(1), hex(2) and hex(7) hold ANSI text
//   ; comment
//   [HKEY_LOCAL_MACHINE\Key]                    [-HKEY...] deletes the key
//   "name"="text"                               @ is the default value, =- deletes the value
//   "name"=dword:0000002a
//   "name"=hex:01,02,\                          hex(TYPE): any type
//     03
#include <optional>

#include "src/cm/change.h"
#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

struct Root {
  const char16_t* name;
  const char16_t* path;
};
constexpr Root kRoots[] = {
    {u"HKEY_LOCAL_MACHINE", u"\\Registry\\Machine"},
    {u"HKEY_USERS", u"\\Registry\\User"},
    {u"HKEY_CURRENT_USER", u"\\Registry\\User\\.Default"},
    {u"HKEY_CLASSES_ROOT", u"\\Registry\\Machine\\Software\\Classes"},
    {u"HKEY_CURRENT_CONFIG", u"\\Registry\\Machine\\System\\CurrentControlSet\\Hardware Profiles\\Current"},
};

bool IsBlank(char16_t c) { return c == u' ' || c == u'\t' || c == u'\r'; }

int HexDigit(char16_t c) {
  if (c >= u'0' && c <= u'9') return c - u'0';
  if (c >= u'a' && c <= u'f') return c - u'a' + 10;
  if (c >= u'A' && c <= u'F') return c - u'A' + 10;
  return -1;
}

class RegFileParser {
 public:
  RegFileParser(std::u16string_view text, std::string* why) : text_(text), why_(why) {}

  Status Parse(std::vector<Change>* changes) {
    NT_TRY(Header());
    for (;;) {
      SkipBlankLines();
      if (AtEnd()) return STATUS_SUCCESS;
      NT_TRY(Peek() == u'[' ? Key(changes) : ValueLine(changes));
    }
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char16_t Peek() const { return AtEnd() ? u'\0' : text_[at_]; }
  char16_t Next() {
    const char16_t c = text_[at_++];
    if (c == u'\n') line_++;
    return c;
  }
  bool Accept(char16_t c) {
    if (AtEnd() || text_[at_] != c) return false;
    Next();
    return true;
  }
  bool AcceptWord(std::u16string_view word) {
    if (!rtl::EqualUnicode(text_.substr(at_, word.size()), word, rtl::Case::kInsensitive)) return false;
    at_ += word.size();
    return true;
  }
  void SkipBlanks() {
    while (!AtEnd() && IsBlank(text_[at_])) at_++;
  }
  /// Blank lines and comments.
  void SkipBlankLines() {
    for (;;) {
      SkipBlanks();
      if (Peek() == u';') SkipLine();
      else if (!Accept(u'\n')) return;
    }
  }
  void SkipLine() {
    while (!AtEnd() && text_[at_] != u'\n') at_++;
  }
  Status Fail(const std::string& message) { return Complain(why_, line_, message); }
  Status EndOfLine() {
    SkipBlanks();
    if (Peek() == u';') SkipLine();
    if (AtEnd() || Accept(u'\n')) return STATUS_SUCCESS;
    return Fail("unexpected text at the end of the line");
  }

  Status Header() {
    SkipBlankLines();
    if (AcceptWord(u"REGEDIT4")) ansi_ = true;
    else if (!AcceptWord(u"Windows Registry Editor Version 5.00"))
      return Fail("the file does not begin with \"Windows Registry Editor Version 5.00\" or \"REGEDIT4\"");
    return EndOfLine();
  }

  Status Key(std::vector<Change>* changes) {
    const size_t line_end = std::min(text_.find(u'\n', at_), text_.size());
    const size_t close = text_.substr(0, line_end).rfind(u']');
    if (close == std::u16string_view::npos || close < at_) return Fail("a key without ]");
    std::u16string_view name = text_.substr(at_ + 1, close - at_ - 1);
    const bool remove = !name.empty() && name[0] == u'-';
    if (remove) name.remove_prefix(1);
    const size_t root_end = std::min(name.find(u'\\'), name.size());
    key_.clear();
    for (auto& root : kRoots)
      if (rtl::EqualUnicode(name.substr(0, root_end), root.name, rtl::Case::kInsensitive)) key_ = root.path;
    if (key_.empty()) return Fail("no root key is called \"" + rtl::ToUtf8(name.substr(0, root_end)) + "\"");
    if (remove && root_end == name.size()) return Fail("a root key cannot be deleted");
    std::u16string_view below = name.substr(root_end);
    while (!below.empty()) {
      below.remove_prefix(1);
      const size_t end = std::min(below.find(u'\\'), below.size());
      if (end == 0 && end != below.size()) return Fail("an empty key name");
      if (end > kMaxKeyNameChars) return Fail("a key name of more than 255 characters");
      below.remove_prefix(end);
    }
    key_ += name.substr(root_end);
    changes->push_back({remove ? Change::Kind::kDeleteKey : Change::Kind::kCreateKey, key_, {}, {}, {}, line_});
    if (remove) key_.clear();
    at_ = close + 1;
    return EndOfLine();
  }

  Status ValueLine(std::vector<Change>* changes) {
    Change change{Change::Kind::kSetValue, key_, {}, {}, {}, line_};
    if (Peek() == u'"') NT_TRY(Quoted(&change.name));
    else if (!Accept(u'@')) return Fail("expected [key], \"name\"= or @=");
    if (key_.empty()) return Fail("a value without a key above it");
    if (change.name.size() > kMaxValueNameChars) return Fail("a value name of more than 16383 characters");
    SkipBlanks();
    if (!Accept(u'=')) return Fail("expected = after the name of a value");
    SkipBlanks();
    if (Accept(u'-')) {
      change.kind = Change::Kind::kDeleteValue;
    } else if (Peek() == u'"') {
      std::u16string text;
      NT_TRY(Quoted(&text));
      change.value = MakeString(text, REG_SZ);
    } else if (AcceptWord(u"dword:")) {
      NT_TRY(Dword(&change.value));
    } else if (AcceptWord(u"hex")) {
      NT_TRY(Hex(&change.value));
    } else {
      return Fail("expected \"text\", dword:, hex: or - after =");
    }
    changes->push_back(std::move(change));
    return EndOfLine();
  }

  /// Text between quotes; it may run over lines.
  Status Quoted(std::u16string* text) {
    const unsigned begin = line_;
    Next();
    while (!AtEnd()) {
      char16_t c = Next();
      if (c == u'"') return STATUS_SUCCESS;
      if (c == u'\\') {
        if (AtEnd()) break;
        c = Next();
        if (c != u'\\' && c != u'"') return Fail("only \\\\ and \\\" may follow a backslash in quotes");
      }
      text->push_back(c);
    }
    return Complain(why_, begin, "a quote is not closed");
  }

  Status Dword(Value* value) {
    SkipBlanks();
    ULONG number = 0;
    int digits = 0;
    for (; HexDigit(Peek()) >= 0; digits++) number = number << 4 | static_cast<ULONG>(HexDigit(Next()));
    if (digits == 0 || digits > 8) return Fail("dword: takes 1 to 8 hexadecimal digits");
    *value = MakeDword(number);
    return STATUS_SUCCESS;
  }

  Status Hex(Value* value) {
    value->type = REG_BINARY;
    if (Accept(u'(')) {
      ULONGLONG type = 0;
      int digits = 0;
      for (; HexDigit(Peek()) >= 0 && digits < 9; digits++) type = type << 4 | static_cast<ULONGLONG>(HexDigit(Next()));
      if (digits == 0 || digits > 8 || !Accept(u')')) return Fail("hex( takes a type of 1 to 8 hexadecimal digits and )");
      value->type = static_cast<ULONG>(type);
    }
    if (!Accept(u':')) return Fail("expected : after hex");
    for (bool first = true;; first = false) {
      NT_TRY(Continuation());
      if (HexDigit(Peek()) < 0) {
        if (first || Peek() == u'\n' || AtEnd()) break;  // nothing at all, or a comma at the end
        return Fail("expected a hexadecimal byte");
      }
      int byte = HexDigit(Next());
      if (HexDigit(Peek()) >= 0) byte = byte << 4 | HexDigit(Next());
      if (HexDigit(Peek()) >= 0) return Fail("a byte of more than two hexadecimal digits");
      value->data.push_back(static_cast<UCHAR>(byte));
      NT_TRY(Continuation());
      if (!Accept(u',')) break;
    }
    if (ansi_ && (value->type == REG_SZ || value->type == REG_EXPAND_SZ || value->type == REG_MULTI_SZ)) Widen(value);
    return STATUS_SUCCESS;
  }

  /// A backslash at the end of a line: the list goes on below.
  Status Continuation() {
    SkipBlanks();
    while (Accept(u'\\')) {
      SkipBlanks();
      if (!Accept(u'\n')) return Fail("a backslash must end its line");
      SkipBlanks();
    }
    return STATUS_SUCCESS;
  }

  static void Widen(Value* value) {
    std::vector<UCHAR> wide;
    for (UCHAR byte : value->data) {
      const WCHAR c = rtl::ToUnicode(rtl::AnsiPage(), byte);
      wide.push_back(static_cast<UCHAR>(c));
      wide.push_back(static_cast<UCHAR>(c >> 8));
    }
    value->data = std::move(wide);
  }

  const std::u16string_view text_;
  std::string* const why_;
  size_t at_ = 0;
  unsigned line_ = 1;
  bool ansi_ = false;
  std::u16string key_;  // of the values that follow; empty before the first and after a deletion
};

}  // namespace

Status LoadRegFile(std::string_view text, std::string* why) {
  std::u16string decoded;
  NT_TRY(DecodeText(text, &decoded, why));
  std::vector<Change> changes;
  NT_TRY(RegFileParser(decoded, why).Parse(&changes));
  return ApplyChanges(changes, why);
}

}  // namespace nt::cm
