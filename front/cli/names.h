// Names: UTF-8 outside, UTF-16 inside; `:/a/b` (or `:\a\b`) on the volume, anything else on the host.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cli {

/// nullopt when `text` is not UTF-8.
std::optional<std::u16string> ToUtf16(const std::string& text);
/// Unpaired surrogates become U+FFFD.
std::string ToUtf8(const std::u16string& text);

/// A path of the command line.
struct Path {
  bool on_volume = false;
  std::string text;   // as given
  std::u16string nt;  // on the volume: "\\a\\b", "\\" for the root
  std::string host;   // on the host
};

/// @throws CLI::ValidationError when the path cannot be one
Path ParsePath(const std::string& text);
/// "\\a" + "b" -> "\\a\\b"
std::u16string Join(const std::u16string& directory, const std::u16string& name);
/// The last component; empty for the root.
std::u16string BaseName(const std::u16string& path);
std::u16string ParentOf(const std::u16string& path);
/// As shown to people: ":/a/b".
std::string Show(const std::u16string& nt_path);

}  // namespace cli
