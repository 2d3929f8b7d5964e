// Applying what files ask for; reading their text.
#include "src/cm/change.h"

#include <algorithm>
#include <cstring>

#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

Status ApplyLocked(const Change& change, Notices* notices) NT_REQUIRES(g_lock) {
  RefPtr<Node> node;
  if (change.kind == Change::Kind::kDeleteKey || change.kind == Change::Kind::kDeleteValue) {
    if (!FindLocked(change.path, &node).ok()) return STATUS_SUCCESS;
    if (change.kind == Change::Kind::kDeleteKey) return DeleteTreeLocked(node.get(), notices);
    const Status status = DeleteValueLocked(node.get(), change.name, notices);
    return status == STATUS_OBJECT_NAME_NOT_FOUND ? Status(STATUS_SUCCESS) : status;
  }
  NT_TRY(CreatePathLocked(change.path, &node, notices));
  if (change.kind == Change::Kind::kCreateKey) return STATUS_SUCCESS;
  const NamedValue* existing = ValueLocked(node.get(), change.name);
  if (change.when == Change::When::kValueMissing && existing) return STATUS_SUCCESS;
  if (change.when == Change::When::kValuePresent && !existing) return STATUS_SUCCESS;
  if (change.kind == Change::Kind::kAppendStrings && existing && existing->value.type == REG_MULTI_SZ) {
    std::vector<std::u16string> strings = SplitStrings(existing->value);
    for (auto& added : SplitStrings(change.value)) {
      const bool has = std::any_of(strings.begin(), strings.end(), [&](const std::u16string& string) {
        return rtl::EqualUnicode(string, added, rtl::Case::kInsensitive);
      });
      if (!has) strings.push_back(std::move(added));
    }
    return SetValueLocked(node.get(), change.name, JoinStrings(strings), notices);
  }
  return SetValueLocked(node.get(), change.name, change.value, notices);
}

}  // namespace

Status ApplyChanges(const std::vector<Change>& changes, std::string* why) {
  for (auto& change : changes) {
    Status status;
    {
      Notices notices;
      LockGuard guard(g_lock);
      status = ApplyLocked(change, &notices);
    }
    if (status.ok()) continue;
    const char* name = StatusName(status);
    *why = "line " + std::to_string(change.line) + ": " + rtl::ToUtf8(change.path) + ": " + (name ? name : "failed");
    return status;
  }
  return STATUS_SUCCESS;
}

Status DecodeText(std::string_view text, std::u16string* decoded, std::string* why) {
  const auto begins = [&](std::string_view mark) { return text.substr(0, mark.size()) == mark; };
  if (begins("\xFE\xFF")) return Complain(why, 1, "UTF-16 with the high byte first is not read; save the file as UTF-8");
  if (begins("\xFF\xFE")) {
    text.remove_prefix(2);
    if (text.size() % 2) return Complain(why, 1, "UTF-16 text of an odd number of bytes");
    decoded->resize(text.size() / 2);
    std::memcpy(decoded->data(), text.data(), text.size());
    return STATUS_SUCCESS;
  }
  if (begins("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > MAXULONG / sizeof(WCHAR)) return Complain(why, 1, "the file is too large");
  decoded->resize(text.size());
  const auto room = static_cast<ULONG>(text.size() * sizeof(WCHAR)), bytes = static_cast<ULONG>(text.size());
  ULONG written = 0;
  Status status = rtl::Utf8ToUnicodeN(decoded->data(), room, &written, text.data(), bytes);
  // STATUS_SOME_NOT_MAPPED: no UTF-8. What the registry editor of old wrote is in the ANSI code page.
  if (status != STATUS_SUCCESS) status = rtl::ToUnicodeN(rtl::AnsiPage(), decoded->data(), room, &written, text.data(), bytes);
  if (!status.ok()) return Complain(why, 1, "the text cannot be decoded");
  decoded->resize(written / sizeof(WCHAR));
  return STATUS_SUCCESS;
}

Status Complain(std::string* why, unsigned line, const std::string& message) {
  *why = "line " + std::to_string(line) + ": " + message;
  return STATUS_REGISTRY_CORRUPT;
}

std::vector<std::u16string> SplitStrings(const Value& value) {
  std::vector<std::u16string> strings;
  std::u16string text(value.data.size() / sizeof(WCHAR), u'\0');
  std::memcpy(text.data(), value.data.data(), text.size() * sizeof(WCHAR));
  for (size_t begin = 0; begin < text.size() && text[begin];) {
    const size_t end = std::min(text.find(u'\0', begin), text.size());
    strings.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return strings;
}

Value JoinStrings(const std::vector<std::u16string>& strings) {
  std::u16string text;
  for (auto& string : strings) text += string + u'\0';
  return MakeString(text, REG_MULTI_SZ);  // adds the terminator of the list
}

}  // namespace nt::cm
