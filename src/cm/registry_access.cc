// The registry for the runtime itself: absolute paths, no handles.
#include <cstring>

#include "src/cm/registry.h"

namespace nt::cm {

Status CreateKey(std::u16string_view path) {
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  return CreatePathLocked(path, &node, &notices);
}

bool KeyExists(std::u16string_view path) {
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  return FindLocked(path, &node).ok();
}

Status DeleteTree(std::u16string_view path) {
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(FindLocked(path, &node));
  return DeleteTreeLocked(node.get(), &notices);
}

Status SetValue(std::u16string_view path, std::u16string_view name, ULONG type, const void* data, size_t bytes) {
  Value value;
  value.type = type;
  const auto* begin = static_cast<const UCHAR*>(data);
  value.data.assign(begin, begin + bytes);
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(CreatePathLocked(path, &node, &notices));
  return SetValueLocked(node.get(), name, std::move(value), &notices);
}

Status SetDword(std::u16string_view path, std::u16string_view name, ULONG number) {
  return SetValue(path, name, REG_DWORD, &number, sizeof number);
}

Status SetString(std::u16string_view path, std::u16string_view name, std::u16string_view text, ULONG type) {
  const Value value = MakeString(text, type);
  return SetValue(path, name, type, value.data.data(), value.data.size());
}

Status DeleteValue(std::u16string_view path, std::u16string_view name) {
  Notices notices;
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(FindLocked(path, &node));
  return DeleteValueLocked(node.get(), name, &notices);
}

Result<Value> QueryValue(std::u16string_view path, std::u16string_view name) {
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(FindLocked(path, &node));
  const NamedValue* value = ValueLocked(node.get(), name);
  if (!value) return STATUS_OBJECT_NAME_NOT_FOUND;
  return value->value;
}

Result<ULONG> QueryDword(std::u16string_view path, std::u16string_view name) {
  auto value = QueryValue(path, name);
  if (!value.ok()) return value.status();
  ULONG number;
  if (value->type != REG_DWORD || value->data.size() != sizeof number) return STATUS_OBJECT_TYPE_MISMATCH;
  std::memcpy(&number, value->data.data(), sizeof number);
  return number;
}

Result<std::u16string> QueryString(std::u16string_view path, std::u16string_view name) {
  auto value = QueryValue(path, name);
  if (!value.ok()) return value.status();
  if (value->type != REG_SZ && value->type != REG_EXPAND_SZ) return STATUS_OBJECT_TYPE_MISMATCH;
  return std::u16string(StringOf(value.value()));
}

Result<std::vector<std::u16string>> SubKeys(std::u16string_view path) {
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(FindLocked(path, &node));
  std::vector<std::u16string> names;
  for (auto& subkey : node->subkeys) names.push_back(subkey->name);
  return names;
}

Result<std::vector<std::u16string>> ValueNames(std::u16string_view path) {
  LockGuard guard(g_lock);
  RefPtr<Node> node;
  NT_TRY(FindLocked(path, &node));
  std::vector<std::u16string> names;
  for (auto& value : node->values) names.push_back(value.name);
  return names;
}

}  // namespace nt::cm
