#include "front/cli/names.h"

#include <CLI/CLI.hpp>

namespace cli {

std::optional<std::u16string> ToUtf16(const std::string& text) {
  std::u16string result;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const int bytes = first < 0x80                    ? 1
                      : first >= 0xC2 && first < 0xE0 ? 2
                      : first >= 0xE0 && first < 0xF0 ? 3
                      : first >= 0xF0 && first < 0xF5 ? 4
                                                      : 0;
    if (bytes == 0 || i + bytes > text.size()) return std::nullopt;
    char32_t code = bytes == 1 ? first : first & (0xFF >> (bytes + 1));
    for (int k = 1; k < bytes; k++) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return std::nullopt;
      code = code << 6 | (next & 0x3F);
    }
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
    if (code >= 0x10000) {
      result += static_cast<char16_t>(0xD7C0 + (code >> 10));
      result += static_cast<char16_t>(0xDC00 + (code & 0x3FF));
    } else {
      result += static_cast<char16_t>(code);
    }
    i += bytes;
  }
  return result;
}

std::string ToUtf8(const std::u16string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); i++) {
    char32_t code = text[i];
    if (code >= 0xD800 && code < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 && text[i + 1] < 0xE000)
      code = 0x10000 + ((code - 0xD800) << 10) + (text[++i] - 0xDC00);
    else if (code >= 0xD800 && code < 0xE000)
      code = 0xFFFD;
    if (code < 0x80) {
      result += static_cast<char>(code);
    } else if (code < 0x800) {
      result += static_cast<char>(0xC0 | code >> 6);
      result += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      result += static_cast<char>(0xE0 | code >> 12);
      result += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      result += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      result += static_cast<char>(0xF0 | code >> 18);
      result += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      result += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      result += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return result;
}

Path ParsePath(const std::string& text) {
  Path path;
  path.text = text;
  if (text.rfind(":", 0) != 0) {
    if (text.empty()) throw CLI::ValidationError("PATH", "a path must not be empty");
    path.host = text;
    return path;
  }
  path.on_volume = true;
  auto name = ToUtf16(text.substr(1));
  if (!name) throw CLI::ValidationError(text, "the name is not UTF-8");
  for (size_t begin = 0; begin < name->size();) {
    size_t end = name->find_first_of(u"/\\", begin);
    if (end == std::u16string::npos) end = name->size();
    const std::u16string component = name->substr(begin, end - begin);
    if (component == u"..") {
      path.nt = ParentOf(path.nt);
      if (path.nt == u"\\") path.nt.clear();
    } else if (!component.empty() && component != u".") {
      path.nt += u'\\' + component;
    }
    begin = end + 1;
  }
  if (path.nt.empty()) path.nt = u"\\";
  return path;
}

std::u16string Join(const std::u16string& directory, const std::u16string& name) {
  return directory == u"\\" || directory.empty() ? u"\\" + name : directory + u"\\" + name;
}

std::u16string BaseName(const std::u16string& path) {
  const size_t slash = path.rfind(u'\\');
  return slash == std::u16string::npos ? path : path.substr(slash + 1);
}

std::u16string ParentOf(const std::u16string& path) {
  const size_t slash = path.rfind(u'\\');
  return slash == std::u16string::npos || slash == 0 ? u"\\" : path.substr(0, slash);
}

std::string Show(const std::u16string& nt_path) {
  std::string text = ToUtf8(nt_path);
  for (char& c : text)
    if (c == '\\') c = '/';
  return ":" + text;
}

}  // namespace cli
