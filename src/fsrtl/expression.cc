// Names against expressions with wild cards.
//
//   *  any run of characters          <  (DOS_STAR) any run, whose last dot may be the name's last
//   ?  one character                  >  (DOS_QM)   one character; nothing before a dot or at the end
//                                     "  (DOS_DOT)  a dot; nothing at the end
//
// A set of positions in the expression is moved over the name, one character at a time: time is name x expression, memory on
// the stack for usual lengths.
#include <cstring>
#include <memory>

#include "src/base/check.h"
#include "src/fsrtl/fsrtl.h"
#include "src/rtl/rtl.h"

namespace nt::fsrtl {
namespace {

/// A set of positions 0..size; on the stack up to 511.
class Positions {
 public:
  explicit Positions(size_t size) : words_((size + 64) / 64) {
    if (words_ > kInline) heap_ = std::make_unique<uint64_t[]>(words_);
    Clear();
  }
  void Clear() { memset(data(), 0, words_ * sizeof(uint64_t)); }
  bool Has(size_t position) const { return data()[position / 64] >> (position % 64) & 1; }
  void Add(size_t position) { data()[position / 64] |= uint64_t{1} << (position % 64); }
  bool empty() const {
    for (size_t i = 0; i < words_; i++)
      if (data()[i]) return false;
    return true;
  }
  void Swap(Positions& other) {
    if (heap_) return heap_.swap(other.heap_);
    uint64_t saved[kInline];
    memcpy(saved, inline_, sizeof saved);
    memcpy(inline_, other.inline_, sizeof saved);
    memcpy(other.inline_, saved, sizeof saved);
  }

 private:
  static constexpr size_t kInline = 8;
  uint64_t* data() { return heap_ ? heap_.get() : inline_; }
  const uint64_t* data() const { return heap_ ? heap_.get() : inline_; }
  size_t words_;
  uint64_t inline_[kInline];
  std::unique_ptr<uint64_t[]> heap_;
};

constexpr char16_t kDosStar = u'<', kDosQm = u'>', kDosDot = u'"';

/// Adds `position` and all that can be reached from it without a character of the name. `at_dot`: the next character of the
/// name is a dot; `at_end`: there is none.
template <class Char>
void AddReachable(Positions& set, std::basic_string_view<Char> expression, size_t position, bool at_dot, bool at_end) {
  for (;;) {
    if (set.Has(position)) return;
    set.Add(position);
    if (position == expression.size()) return;
    const auto character = expression[position];
    const bool skip = character == u'*' || character == kDosStar || (character == kDosQm && (at_dot || at_end)) ||
                      (character == kDosDot && at_end);
    if (!skip) return;
    position++;
  }
}

template <class Char, class Fold>
bool Matches(std::basic_string_view<Char> expression, std::basic_string_view<Char> name, Fold fold) {
  if (expression.empty() || name.empty()) return expression.empty() && name.empty();
  if (expression.size() == 1 && expression[0] == '*') return true;
  const size_t last_dot = name.rfind(Char('.'));
  Positions now(expression.size()), next(expression.size());
  AddReachable(now, expression, 0, name[0] == '.', false);
  for (size_t i = 0; i < name.size(); i++) {
    const Char character = name[i];
    const bool at_end = i + 1 == name.size();
    const bool at_dot = !at_end && name[i + 1] == '.';
    const auto go = [&](size_t position) { AddReachable(next, expression, position, at_dot, at_end); };
    next.Clear();
    for (size_t position = 0; position < expression.size(); position++) {
      if (!now.Has(position)) continue;
      const Char wanted = expression[position];
      if (wanted == '*') {
        go(position);
      } else if (wanted == kDosStar) {
        // Takes anything but the last dot, which ends it.
        if (character != '.' || i != last_dot) go(position);
      } else if (wanted == '?') {
        go(position + 1);
      } else if (wanted == kDosQm) {
        if (character != '.') go(position + 1);
      } else if (wanted == kDosDot) {
        if (character == '.') go(position + 1);
      } else if (fold(character) == wanted) {
        go(position + 1);
      }
    }
    if (next.empty()) return false;
    now.Swap(next);
  }
  return now.Has(expression.size());
}

}  // namespace

bool IsNameInExpression(PUNICODE_STRING expression, PUNICODE_STRING name, bool ignore_case, PWCH upcase_table) {
  const auto pattern = rtl::View(expression), text = rtl::View(name);
  if (!ignore_case) return Matches(pattern, text, [](char16_t character) { return character; });
  if (upcase_table) return Matches(pattern, text, [=](char16_t character) -> char16_t { return upcase_table[character]; });
  return Matches(pattern, text, [](char16_t character) -> char16_t { return rtl::UpcaseUnicodeChar(character); });
}

bool IsNameInUnUpcasedExpression(PUNICODE_STRING expression, PUNICODE_STRING name, bool ignore_case,
                                 PWCH upcase_table) {
  if (!ignore_case) return IsNameInExpression(expression, name, false, nullptr);
  std::u16string upcased(rtl::View(expression));
  for (char16_t& character : upcased)
    character = upcase_table ? static_cast<char16_t>(upcase_table[character]) : rtl::UpcaseUnicodeChar(character);
  UNICODE_STRING folded = rtl::UnicodeString(upcased);
  return IsNameInExpression(&folded, name, true, upcase_table);
}

bool IsDbcsInExpression(PANSI_STRING expression, PANSI_STRING name) {
  return Matches(rtl::View(*expression), rtl::View(*name), [](char character) { return character; });
}

}  // namespace nt::fsrtl
