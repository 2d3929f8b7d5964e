// The tree: walking, creating, deleting, values.
#include "src/cm/registry.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/host/host.h"
#include "src/rtl/rtl.h"

namespace nt::cm {
namespace {

constexpr int kMaxLinks = 64;
constexpr char16_t kLinkValue[] = u"SymbolicLinkValue";
constexpr char16_t kRootPrefix[] = u"\\Registry";

Node* g_root = nullptr;

LONGLONG Now() { return static_cast<LONGLONG>(host::SystemTime100ns()); }

auto LowerBound(Node* parent, const std::u16string& folded) {
  return std::lower_bound(parent->subkeys.begin(), parent->subkeys.end(), folded,
                          [](const RefPtr<Node>& node, const std::u16string& name) { return node->folded < name; });
}

/// The part of an absolute path below \Registry; false when it is not there.
bool StripRoot(std::u16string_view* path) {
  constexpr std::u16string_view kPrefix(kRootPrefix);
  if (!rtl::PrefixUnicode(kPrefix, *path, rtl::Case::kInsensitive)) return false;
  std::u16string_view rest = path->substr(kPrefix.size());
  if (!rest.empty() && rest[0] != u'\\') return false;
  *path = rest;
  return true;
}

size_t Depth(const Node* node) {
  size_t depth = 0;
  for (; node; node = node->parent) depth++;
  return depth;
}

void Touch(Node* node) { node->last_write_time = Now(); }

}  // namespace

Lock g_lock(LockRank::kRegistry);

Node* RootLocked() { return g_root; }

Status TreeBoot() {
  LockGuard guard(g_lock);
  CHECK(!g_root);
  g_root = new Node;
  g_root->name = g_root->folded = u"REGISTRY";
  g_root->is_fixed = true;
  Touch(g_root);
  return STATUS_SUCCESS;
}

void TreeShutdown() {
  LockGuard guard(g_lock);
  g_root->ReleaseRef();
  g_root = nullptr;
}

Node* SubkeyLocked(Node* parent, std::u16string_view name) {
  const std::u16string folded = rtl::Upcase(name);
  auto place = LowerBound(parent, folded);
  return place != parent->subkeys.end() && (*place)->folded == folded ? place->get() : nullptr;
}

Status WalkLocked(Node* start, std::u16string_view path, LastLink last, Place* place) {
  std::u16string rest(path);
  RefPtr<Node> node = RefPtr<Node>::Share(start);
  for (int links = 0; links < kMaxLinks;) {
    if (node->deleted) return STATUS_KEY_DELETED;
    const size_t begin = rest.find_first_not_of(u'\\');
    const bool at_end = begin == std::u16string::npos;
    if (node->is_link && (!at_end || last == LastLink::kFollow)) {
      NamedValue* target = ValueLocked(node.get(), kLinkValue);
      if (!target || target->value.type != REG_LINK) return STATUS_OBJECT_NAME_NOT_FOUND;
      // The target of a link is counted, without a terminator.
      std::u16string full(target->value.data.size() / sizeof(WCHAR), u'\0');
      std::memcpy(full.data(), target->value.data.data(), full.size() * sizeof(WCHAR));
      std::u16string_view below = full;
      if (!StripRoot(&below)) return STATUS_OBJECT_NAME_NOT_FOUND;
      rest = std::u16string(below) + rest;
      node = RefPtr<Node>::Share(g_root);
      links++;
      continue;
    }
    if (at_end) {
      place->node = std::move(node);
      return STATUS_SUCCESS;
    }
    const size_t end = std::min(rest.find(u'\\', begin), rest.size());
    const std::u16string component = rest.substr(begin, end - begin);
    if (component.size() > kMaxKeyNameChars) return STATUS_INVALID_PARAMETER;
    Node* next = SubkeyLocked(node.get(), component);
    if (!next) {
      if (rest.find_first_not_of(u'\\', end) != std::u16string::npos) return STATUS_OBJECT_NAME_NOT_FOUND;
      place->parent = std::move(node);
      place->name = component;
      return STATUS_SUCCESS;
    }
    rest.erase(0, end);
    node = RefPtr<Node>::Share(next);
  }
  return STATUS_OBJECT_NAME_NOT_FOUND;  // a circle of links
}

Status FindLocked(std::u16string_view path, RefPtr<Node>* node) {
  if (!StripRoot(&path)) return STATUS_OBJECT_PATH_SYNTAX_BAD;
  Place place;
  NT_TRY(WalkLocked(g_root, path, LastLink::kFollow, &place));
  if (!place.node) return STATUS_OBJECT_NAME_NOT_FOUND;
  *node = std::move(place.node);
  return STATUS_SUCCESS;
}

Status CreatePathLocked(std::u16string_view path, RefPtr<Node>* node, Notices* notices) {
  if (!StripRoot(&path)) return STATUS_OBJECT_PATH_SYNTAX_BAD;
  RefPtr<Node> current = RefPtr<Node>::Share(g_root);
  while (true) {
    const size_t begin = path.find_first_not_of(u'\\');
    if (begin == std::u16string_view::npos) break;
    const size_t end = std::min(path.find(u'\\', begin), path.size());
    Place place;
    NT_TRY(WalkLocked(current.get(), path.substr(begin, end - begin), LastLink::kFollow, &place));
    if (!place.node)
      NT_TRY(AddSubkeyLocked(place.parent.get(), place.name, place.parent->is_volatile, &place.node, notices));
    current = std::move(place.node);
    path.remove_prefix(end);
  }
  *node = std::move(current);
  return STATUS_SUCCESS;
}

Status AddSubkeyLocked(Node* parent, std::u16string_view name, bool is_volatile, RefPtr<Node>* node, Notices* notices) {
  if (parent->deleted) return STATUS_KEY_DELETED;
  if (name.empty() || name.size() > kMaxKeyNameChars) return STATUS_INVALID_PARAMETER;
  if (parent->is_volatile && !is_volatile) return STATUS_CHILD_MUST_BE_VOLATILE;
  if (Depth(parent) >= kMaxDepth) return STATUS_INVALID_PARAMETER;
  auto fresh = RefPtr<Node>::Adopt(new Node);
  fresh->name = name;
  fresh->folded = rtl::Upcase(name);
  fresh->parent = parent;
  fresh->is_volatile = is_volatile;
  Touch(fresh.get());
  parent->subkeys.insert(LowerBound(parent, fresh->folded), fresh);
  Touch(parent);
  ReportLocked(parent, REG_NOTIFY_CHANGE_NAME, notices);
  *node = std::move(fresh);
  return STATUS_SUCCESS;
}

Status DeleteNodeLocked(Node* node, Notices* notices) {
  if (node->deleted) return STATUS_KEY_DELETED;
  if (node->is_fixed || !node->subkeys.empty()) return STATUS_CANNOT_DELETE;
  RefPtr<Node> keep = RefPtr<Node>::Share(node);
  Node* parent = node->parent;
  ReportDeletedLocked(node, notices);
  parent->subkeys.erase(LowerBound(parent, node->folded));
  node->parent = nullptr;
  node->deleted = true;
  node->values.clear();
  Touch(parent);
  ReportLocked(parent, REG_NOTIFY_CHANGE_NAME, notices);
  return STATUS_SUCCESS;
}

Status DeleteTreeLocked(Node* node, Notices* notices) {
  if (node->is_fixed) return STATUS_CANNOT_DELETE;
  while (!node->subkeys.empty()) NT_TRY(DeleteTreeLocked(node->subkeys.back().get(), notices));
  return DeleteNodeLocked(node, notices);
}

Status RenameLocked(Node* node, std::u16string_view name, Notices* notices) {
  if (node->deleted) return STATUS_KEY_DELETED;
  if (node->is_fixed) return STATUS_ACCESS_DENIED;
  if (name.empty() || name.size() > kMaxKeyNameChars || name.find(u'\\') != std::u16string_view::npos)
    return STATUS_INVALID_PARAMETER;
  Node* parent = node->parent;
  Node* other = SubkeyLocked(parent, name);
  if (other && other != node) return STATUS_CANNOT_DELETE;  // NT's status for a name that is taken
  auto place = LowerBound(parent, node->folded);
  RefPtr<Node> moved = std::move(*place);
  parent->subkeys.erase(place);
  moved->name = name;
  moved->folded = rtl::Upcase(name);
  auto target = LowerBound(parent, moved->folded);
  parent->subkeys.insert(target, std::move(moved));
  Touch(parent);
  ReportLocked(parent, REG_NOTIFY_CHANGE_NAME, notices);
  return STATUS_SUCCESS;
}

NamedValue* ValueLocked(Node* node, std::u16string_view name) {
  for (auto& value : node->values)
    if (rtl::EqualUnicode(value.name, name, rtl::Case::kInsensitive)) return &value;
  return nullptr;
}

Status SetValueLocked(Node* node, std::u16string_view name, Value value, Notices* notices) {
  if (node->deleted) return STATUS_KEY_DELETED;
  if (name.size() > kMaxValueNameChars) return STATUS_INVALID_PARAMETER;
  if (value.data.size() > kMaxValueBytes) return STATUS_INSUFFICIENT_RESOURCES;
  // A link has one value, and nothing but that value makes it one.
  const bool is_target = value.type == REG_LINK && rtl::EqualUnicode(name, kLinkValue, rtl::Case::kInsensitive);
  if (node->is_link && !is_target) return STATUS_ACCESS_DENIED;
  if (NamedValue* existing = ValueLocked(node, name)) existing->value = std::move(value);
  else node->values.push_back({std::u16string(name), std::move(value)});
  Touch(node);
  ReportLocked(node, REG_NOTIFY_CHANGE_LAST_SET, notices);
  return STATUS_SUCCESS;
}

Status DeleteValueLocked(Node* node, std::u16string_view name, Notices* notices) {
  if (node->deleted) return STATUS_KEY_DELETED;
  NamedValue* value = ValueLocked(node, name);
  if (!value) return STATUS_OBJECT_NAME_NOT_FOUND;
  node->values.erase(node->values.begin() + (value - node->values.data()));
  Touch(node);
  ReportLocked(node, REG_NOTIFY_CHANGE_LAST_SET, notices);
  return STATUS_SUCCESS;
}

std::u16string PathLocked(const Node* node) {
  if (node->deleted) return {};
  std::u16string path;
  for (; node; node = node->parent) path = u"\\" + node->name + path;
  return path;
}

std::u16string_view StringOf(const Value& value) {
  std::u16string_view text(reinterpret_cast<const char16_t*>(value.data.data()), value.data.size() / sizeof(WCHAR));
  return text.substr(0, text.find(u'\0'));
}

Value MakeString(std::u16string_view text, ULONG type) {
  Value value;
  value.type = type;
  value.data.resize((text.size() + 1) * sizeof(WCHAR));
  if (!text.empty()) std::memcpy(value.data.data(), text.data(), text.size() * sizeof(WCHAR));
  return value;
}

Value MakeDword(ULONG number) {
  Value value;
  value.type = REG_DWORD;
  value.data.resize(sizeof number);
  std::memcpy(value.data.data(), &number, sizeof number);
  return value;
}

}  // namespace nt::cm
