#include "src/kd/format.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace nt::kd {
namespace {

void AppendCodePoint(std::string* out, char32_t code) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0 | code >> 6);
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out += static_cast<char>(0xE0 | code >> 12);
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Text of either width into output of either width.
std::string Convert(const char* text, size_t length, const std::string&) { return {text, length}; }
std::string Convert(const char16_t* text, size_t length, const std::string&) {
  std::string result;
  for (size_t i = 0; i < length; i++) AppendCodePoint(&result, text[i]);
  return result;
}
std::u16string Convert(const char* text, size_t length, const std::u16string&) {
  std::u16string result;
  for (size_t i = 0; i < length; i++) result += static_cast<unsigned char>(text[i]);
  return result;
}
std::u16string Convert(const char16_t* text, size_t length, const std::u16string&) { return {text, length}; }

template <class Char>
size_t BoundedLength(const Char* text, int limit) {
  size_t length = 0;
  while ((limit < 0 || length < static_cast<size_t>(limit)) && text[length]) length++;
  return length;
}

enum class Size { kDefault, kChar, kShort, kLong, kLongLong, kPointer, kWide };

struct Spec {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  int width = 0, precision = -1;
  Size size = Size::kDefault;
};

template <class Char>
class Formatter {
 public:
  using String = std::basic_string<Char>;

  String Run(const Char* format, __builtin_ms_va_list arguments) {
    __builtin_ms_va_copy(arguments_, arguments);
    for (const Char* at = format; *at;) {
      if (*at != '%') {
        out_ += *at++;
      } else if (at[1] == '%') {
        out_ += '%';
        at += 2;
      } else {
        at = Conversion(at + 1);
      }
    }
    __builtin_ms_va_end(arguments_);
    return std::move(out_);
  }

 private:
  int Number(const Char*& at) {
    if (*at == '*') {
      at++;
      return __builtin_va_arg(arguments_, int);
    }
    int value = 0;
    while (*at >= '0' && *at <= '9') value = std::min(value * 10 + (*at++ - '0'), 1 << 20);
    return value;
  }

  Size ReadSize(const Char*& at) {
    switch (*at) {
      case 'h':
        at++;
        if (*at == 'h') {
          at++;
          return Size::kChar;
        }
        return Size::kShort;
      case 'l':
        at++;
        if (*at == 'l') {
          at++;
          return Size::kLongLong;
        }
        return Size::kLong;
      case 'w': at++; return Size::kWide;
      case 'z': case 't': at++; return Size::kPointer;
      case 'I':
        at++;
        if (at[0] == '6' && at[1] == '4') {
          at += 2;
          return Size::kLongLong;
        }
        if (at[0] == '3' && at[1] == '2') {
          at += 2;
          return Size::kDefault;
        }
        return Size::kPointer;
      default: return Size::kDefault;
    }
  }

  const Char* Conversion(const Char* at) {
    Spec spec;
    for (;; at++) {
      if (*at == '-') spec.left = true;
      else if (*at == '+') spec.plus = true;
      else if (*at == ' ') spec.space = true;
      else if (*at == '#') spec.alternate = true;
      else if (*at == '0') spec.zero = true;
      else break;
    }
    spec.width = Number(at);
    if (spec.width < 0) {
      spec.left = true;
      spec.width = -spec.width;
    }
    if (*at == '.') spec.precision = Number(++at);
    spec.size = ReadSize(at);
    const Char type = *at;
    if (!type) return at;
    switch (type) {
      case 'd': case 'i': case 'u': case 'x': case 'X': case 'o': Integer(spec, static_cast<char>(type)); break;
      case 'p': {
        Spec pointer = spec;
        pointer.size = Size::kLongLong;
        pointer.precision = 16;
        Integer(pointer, 'X');
        break;
      }
      case 'c': case 'C': {
        const bool other = type == 'C';
        const int value = __builtin_va_arg(arguments_, int);
        if (IsWide(spec, other)) {
          const auto wide = static_cast<char16_t>(value);
          Pad(spec, Convert(&wide, 1, String()));
        } else {
          const auto narrow = static_cast<char>(value);
          Pad(spec, Convert(&narrow, 1, String()));
        }
        break;
      }
      case 's': case 'S': Text(spec, type == 'S'); break;
      case 'Z': Counted(spec); break;
      case 'e': case 'E': case 'f': case 'g': case 'G': Float(spec, static_cast<char>(type)); break;
      default: out_ += type; break;
    }
    return at + 1;
  }

  /// Whether %c or %s means wide text; the capital forms mean the other width.
  static bool IsWide(const Spec& spec, bool other) {
    if (spec.size == Size::kShort) return false;
    if (spec.size == Size::kLong || spec.size == Size::kWide) return true;
    return (sizeof(Char) == 2) != other;
  }

  void Text(const Spec& spec, bool other) {
    if (IsWide(spec, other)) {
      const auto* text = __builtin_va_arg(arguments_, const char16_t*);
      if (!text) text = u"(null)";
      Pad(spec, Convert(text, BoundedLength(text, spec.precision), String()));
    } else {
      const auto* text = __builtin_va_arg(arguments_, const char*);
      if (!text) text = "(null)";
      Pad(spec, Convert(text, BoundedLength(text, spec.precision), String()));
    }
  }

  void Counted(const Spec& spec) {
    const void* argument = __builtin_va_arg(arguments_, const void*);
    const auto* string = static_cast<const STRING*>(argument);
    if (!string || !string->Buffer) return Pad(spec, Convert("(null)", 6, String()));
    if (spec.size == Size::kWide || spec.size == Size::kLong) {
      const auto* wide = static_cast<const UNICODE_STRING*>(argument);
      Pad(spec, Convert(wide->Buffer, wide->Length / sizeof(WCHAR), String()));
    } else {
      Pad(spec, Convert(string->Buffer, string->Length, String()));
    }
  }

  void Integer(const Spec& spec, char type) {
    const bool is_signed = type == 'd' || type == 'i';
    uint64_t value;
    switch (spec.size) {
      case Size::kLongLong: case Size::kPointer: value = __builtin_va_arg(arguments_, uint64_t); break;
      default: {
        const auto narrow = __builtin_va_arg(arguments_, uint32_t);
        value = is_signed ? static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(narrow))) : narrow;
        if (spec.size == Size::kShort) value = is_signed ? static_cast<uint64_t>(static_cast<int16_t>(narrow)) : static_cast<uint16_t>(narrow);
        if (spec.size == Size::kChar) value = is_signed ? static_cast<uint64_t>(static_cast<int8_t>(narrow)) : static_cast<uint8_t>(narrow);
      }
    }
    const bool negative = is_signed && static_cast<int64_t>(value) < 0;
    if (negative) value = 0 - value;
    const unsigned base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : 10;
    const char* digits = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    std::string text;
    for (uint64_t rest = value; rest; rest /= base) text += digits[rest % base];
    if (text.empty() && spec.precision != 0) text = "0";
    while (spec.precision > 0 && text.size() < static_cast<size_t>(spec.precision)) text += '0';
    std::string prefix = negative ? "-" : is_signed && spec.plus ? "+" : is_signed && spec.space ? " " : "";
    if (spec.alternate && value && base == 16) prefix += type == 'X' ? "0X" : "0x";
    if (spec.alternate && base == 8) prefix += "0";
    if (spec.zero && !spec.left && spec.precision < 0)
      while (prefix.size() + text.size() < static_cast<size_t>(spec.width)) text += '0';
    std::reverse(text.begin(), text.end());
    text = prefix + text;
    Pad(spec, Convert(text.data(), text.size(), String()));
  }

  void Float(const Spec& spec, char type) {
    char format[16] = "%.*?";
    format[3] = type;
    char text[512];
    std::snprintf(text, sizeof text, format, spec.precision < 0 ? 6 : std::min(spec.precision, 100),
                  __builtin_va_arg(arguments_, double));
    Pad(spec, Convert(text, std::strlen(text), String()));
  }

  void Pad(const Spec& spec, const String& text) {
    const size_t fill = text.size() < static_cast<size_t>(spec.width) ? spec.width - text.size() : 0;
    if (!spec.left) out_.append(fill, ' ');
    out_ += text;
    if (spec.left) out_.append(fill, ' ');
  }

  String out_;
  __builtin_ms_va_list arguments_;
};

}  // namespace

std::string Format(const char* format, __builtin_ms_va_list arguments) { return Formatter<char>().Run(format, arguments); }
std::u16string Format(const char16_t* format, __builtin_ms_va_list arguments) {
  return Formatter<char16_t>().Run(format, arguments);
}

}  // namespace nt::kd
