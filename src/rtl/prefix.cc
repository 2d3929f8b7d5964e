// Unicode prefix tables: the longest leading part of a path, in whole components, that is in the table.
//
// One splay tree for each number of components, ordered without case; the roots form a ring through NextPrefixTree, by
// falling number of components, that starts and ends at the table. Prefixes that differ in case only form a ring through
// CaseMatch, of which one lies in the tree. All of it is opaque to drivers.
#include <algorithm>

#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

using Entry = PUNICODE_PREFIX_TABLE_ENTRY;

constexpr CSHORT kTableType = 0x0800;
constexpr CSHORT kRootType = 0x0801;
constexpr CSHORT kInnerType = 0x0802;
constexpr CSHORT kCaseMatchType = 0x0803;

// The table begins like an entry, so that it can close the ring.
static_assert(offsetof(UNICODE_PREFIX_TABLE, NextPrefixTree) == offsetof(UNICODE_PREFIX_TABLE_ENTRY, NextPrefixTree));
Entry HeadOf(PUNICODE_PREFIX_TABLE table) { return reinterpret_cast<Entry>(table); }

Entry EntryOf(PRTL_SPLAY_LINKS links) { return CONTAINING_RECORD(links, UNICODE_PREFIX_TABLE_ENTRY, Links); }

/// Components of a path: 0 for "\", 1 for "\a" and "a", 2 for "\a\b".
CSHORT CountComponents(std::u16string_view name) {
  CSHORT count = 0;
  bool inside = false;
  for (WCHAR c : name) {
    if (c != u'\\' && !inside) ++count;
    inside = c != u'\\';
  }
  return count;
}

/// The leading part of `name` with that many components, without a backslash behind; "\" for none.
std::u16string_view Leading(std::u16string_view name, CSHORT components) {
  if (components == 0) return name.substr(0, !name.empty() && name[0] == u'\\');
  size_t at = 0;
  for (; components; --components) {
    while (at < name.size() && name[at] == u'\\') ++at;
    while (at < name.size() && name[at] != u'\\') ++at;
  }
  return name.substr(0, at);
}

LONG Compare(std::u16string_view a, std::u16string_view b) { return CompareUnicode(a, b, Case::kInsensitive); }

/// Equal up to `exact` with case, and from there without.
bool Matches(std::u16string_view a, std::u16string_view b, size_t exact) {
  exact = std::min(exact, a.size());
  return a.size() == b.size() && a.substr(0, exact) == b.substr(0, exact) &&
         EqualUnicode(a.substr(exact), b.substr(exact), Case::kInsensitive);
}

/// The root before `root` in the ring, which may be the head.
Entry Before(PUNICODE_PREFIX_TABLE table, Entry root) {
  Entry at = HeadOf(table);
  while (at->NextPrefixTree != root) at = at->NextPrefixTree;
  return at;
}

/// `new_root` takes the place of `old_root`, which stays in the tree or left it.
void ReplaceRoot(PUNICODE_PREFIX_TABLE table, Entry old_root, Entry new_root) {
  if (old_root == new_root) return;
  Entry before = Before(table, old_root);
  new_root->NextPrefixTree = old_root->NextPrefixTree;
  before->NextPrefixTree = new_root;
  new_root->NodeTypeCode = kRootType;
  old_root->NextPrefixTree = nullptr;
  old_root->NodeTypeCode = kInnerType;
}

Entry SplayToRoot(PUNICODE_PREFIX_TABLE table, Entry old_root, Entry entry) {
  ReplaceRoot(table, old_root, EntryOf(Splay(&entry->Links)));
  return entry;
}

Entry Smallest(Entry root) {
  PRTL_SPLAY_LINKS links = &root->Links;
  while (links->LeftChild) links = links->LeftChild;
  return EntryOf(links);
}

/// The entry of that name in a tree, or the one below which it would hang.
Entry Search(Entry root, std::u16string_view name, LONG* order) {
  PRTL_SPLAY_LINKS links = &root->Links;
  for (;;) {
    *order = Compare(name, View(EntryOf(links)->Prefix));
    PRTL_SPLAY_LINKS next = *order < 0 ? links->LeftChild : *order > 0 ? links->RightChild : nullptr;
    if (!next) return EntryOf(links);
    links = next;
  }
}

}  // namespace

void InitializeUnicodePrefix(PUNICODE_PREFIX_TABLE table) { *table = {kTableType, 0, HeadOf(table), nullptr}; }

bool InsertUnicodePrefix(PUNICODE_PREFIX_TABLE table, PUNICODE_STRING prefix, Entry entry) {
  const auto name = View(prefix);
  Entry head = HeadOf(table);
  *entry = {};
  entry->NameLength = CountComponents(name);
  entry->Prefix = prefix;
  entry->CaseMatch = entry;
  RtlInitializeSplayLinks(&entry->Links);

  Entry before = head;
  while (before->NextPrefixTree != head && before->NextPrefixTree->NameLength > entry->NameLength)
    before = before->NextPrefixTree;
  Entry root = before->NextPrefixTree;
  if (root == head || root->NameLength != entry->NameLength) {
    entry->NodeTypeCode = kRootType;
    entry->NextPrefixTree = root;
    before->NextPrefixTree = entry;
    table->LastNextEntry = nullptr;
    return true;
  }
  LONG order;
  Entry near = Search(root, name, &order);
  if (order == 0) {
    Entry at = near;
    do {
      if (View(at->Prefix) == name) return false;
      at = at->CaseMatch;
    } while (at != near);
    entry->NodeTypeCode = kCaseMatchType;
    entry->CaseMatch = near->CaseMatch;
    near->CaseMatch = entry;
    SplayToRoot(table, root, near);
  } else {
    entry->NodeTypeCode = kInnerType;
    if (order < 0) {
      RtlInsertAsLeftChild(&near->Links, &entry->Links);
    } else {
      RtlInsertAsRightChild(&near->Links, &entry->Links);
    }
    SplayToRoot(table, root, entry);
  }
  table->LastNextEntry = nullptr;
  return true;
}

void RemoveUnicodePrefix(PUNICODE_PREFIX_TABLE table, Entry entry) {
  table->LastNextEntry = nullptr;
  const bool in_tree = entry->NodeTypeCode != kCaseMatchType;
  if (entry->CaseMatch != entry) {
    Entry before = entry->CaseMatch;
    while (before->CaseMatch != entry) before = before->CaseMatch;
    before->CaseMatch = entry->CaseMatch;
    if (!in_tree) return;
    // Another of the same name takes the entry's place in the tree.
    Entry heir = entry->CaseMatch;
    heir->NodeTypeCode = entry->NodeTypeCode;
    heir->Links = entry->Links;
    if (heir->Links.LeftChild) heir->Links.LeftChild->Parent = &heir->Links;
    if (heir->Links.RightChild) heir->Links.RightChild->Parent = &heir->Links;
    if (entry->NodeTypeCode == kRootType) {
      heir->Links.Parent = &heir->Links;
      Entry previous = Before(table, entry);
      heir->NextPrefixTree = entry->NextPrefixTree;
      previous->NextPrefixTree = heir;
    } else {
      PRTL_SPLAY_LINKS parent = entry->Links.Parent;
      (parent->LeftChild == &entry->Links ? parent->LeftChild : parent->RightChild) = &heir->Links;
    }
    return;
  }
  PRTL_SPLAY_LINKS links = &entry->Links;
  while (links->Parent != links) links = links->Parent;
  Entry root = EntryOf(links);
  PRTL_SPLAY_LINKS new_root = Delete(&entry->Links);
  if (new_root) {
    ReplaceRoot(table, root, EntryOf(new_root));
  } else {
    Before(table, root)->NextPrefixTree = root->NextPrefixTree;
  }
}

Entry FindUnicodePrefix(PUNICODE_PREFIX_TABLE table, PCUNICODE_STRING full_name, ULONG case_insensitive_index) {
  const auto name = View(full_name);
  const CSHORT components = CountComponents(name);
  for (Entry root = table->NextPrefixTree; root != HeadOf(table); root = root->NextPrefixTree) {
    if (root->NameLength > components) continue;
    const auto leading = Leading(name, root->NameLength);
    LONG order;
    Entry found = Search(root, leading, &order);
    if (order != 0) continue;
    Entry at = found;
    do {
      if (Matches(leading, View(at->Prefix), case_insensitive_index)) {
        SplayToRoot(table, root, found);
        return at;
      }
      at = at->CaseMatch;
    } while (at != found);
  }
  return nullptr;
}

Entry NextUnicodePrefix(PUNICODE_PREFIX_TABLE table, BOOLEAN restart) {
  Entry head = HeadOf(table);
  Entry last = restart ? nullptr : table->LastNextEntry;
  Entry next = nullptr;
  if (!last) {
    if (table->NextPrefixTree != head) next = Smallest(table->NextPrefixTree);
  } else if (last->CaseMatch->NodeTypeCode == kCaseMatchType) {
    next = last->CaseMatch;
  } else {
    // The ring of equal names is done; its member in the tree is next in it.
    PRTL_SPLAY_LINKS links = &last->CaseMatch->Links;
    if (PRTL_SPLAY_LINKS successor = RealSuccessor(links)) {
      next = EntryOf(successor);
    } else {
      while (links->Parent != links) links = links->Parent;
      Entry next_root = EntryOf(links)->NextPrefixTree;
      if (next_root != head) next = Smallest(next_root);
    }
  }
  if (next) table->LastNextEntry = next;
  return next;
}

}  // namespace nt::rtl
