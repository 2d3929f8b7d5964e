// Generic tables over splay trees. An element is the caller's bytes behind a header of ours; AllocateRoutine is asked for
// both together, so the header's size is part of the contract: splay links and a list entry.
// Order of insertion is kept in a list, which GetElement counts along.
#include <cstring>

#include "src/ldr/call.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

struct Element {
  RTL_SPLAY_LINKS links;
  LIST_ENTRY in_insert_order;

  void* data() { return this + 1; }
  static Element* Of(PRTL_SPLAY_LINKS links) { return reinterpret_cast<Element*>(links); }
  static Element* Of(PLIST_ENTRY entry) { return CONTAINING_RECORD(entry, Element, in_insert_order); }
};
static_assert(sizeof(Element) == sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY));

TABLE_SEARCH_RESULT Search(PRTL_GENERIC_TABLE table, PVOID key, PRTL_SPLAY_LINKS* node_or_parent) {
  PRTL_SPLAY_LINKS node = table->TableRoot;
  *node_or_parent = nullptr;
  if (!node) return TableEmptyTree;
  for (;;) {
    *node_or_parent = node;
    switch (CallDriver(table->CompareRoutine, table, key, Element::Of(node)->data())) {
      case GenericLessThan:
        if (!node->LeftChild) return TableInsertAsLeft;
        node = node->LeftChild;
        break;
      case GenericGreaterThan:
        if (!node->RightChild) return TableInsertAsRight;
        node = node->RightChild;
        break;
      default:
        return TableFoundNode;
    }
  }
}

}  // namespace

void InitializeGenericTable(PRTL_GENERIC_TABLE table, PRTL_GENERIC_COMPARE_ROUTINE compare,
                            PRTL_GENERIC_ALLOCATE_ROUTINE allocate, PRTL_GENERIC_FREE_ROUTINE free, PVOID context) {
  table->TableRoot = nullptr;
  InitializeListHead(&table->InsertOrderList);
  table->OrderedPointer = &table->InsertOrderList;
  table->WhichOrderedElement = 0;
  table->NumberGenericTableElements = 0;
  table->CompareRoutine = compare;
  table->AllocateRoutine = allocate;
  table->FreeRoutine = free;
  table->TableContext = context;
}

PVOID InsertElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new) {
  PRTL_SPLAY_LINKS node_or_parent;
  const TABLE_SEARCH_RESULT result = Search(table, buffer, &node_or_parent);
  return InsertElementGenericTableFull(table, buffer, bytes, is_new, node_or_parent, result);
}

PVOID InsertElementGenericTableFull(PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new,
                                    PVOID node_or_parent, TABLE_SEARCH_RESULT result) {
  auto* node = static_cast<PRTL_SPLAY_LINKS>(node_or_parent);
  if (is_new) *is_new = FALSE;
  if (result != TableFoundNode) {
    auto* element = static_cast<Element*>(
        CallDriver(table->AllocateRoutine, table, static_cast<CLONG>(sizeof(Element) + bytes)));
    if (!element) return nullptr;
    PRTL_SPLAY_LINKS parent = node;
    node = &element->links;
    *node = {node, nullptr, nullptr};
    if (result == TableInsertAsLeft) {
      RtlInsertAsLeftChild(parent, node);
    } else if (result == TableInsertAsRight) {
      RtlInsertAsRightChild(parent, node);
    }
    InsertTailList(&table->InsertOrderList, &element->in_insert_order);
    ++table->NumberGenericTableElements;
    memcpy(element->data(), buffer, bytes);
    if (is_new) *is_new = TRUE;
  }
  table->TableRoot = Splay(node);
  return Element::Of(node)->data();
}

bool DeleteElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer) {
  PRTL_SPLAY_LINKS node;
  if (Search(table, buffer, &node) != TableFoundNode) return false;
  Element* element = Element::Of(node);
  table->TableRoot = Delete(node);
  RemoveEntryList(&element->in_insert_order);
  --table->NumberGenericTableElements;
  table->OrderedPointer = &table->InsertOrderList;
  table->WhichOrderedElement = 0;
  CallDriver(table->FreeRoutine, table, static_cast<PVOID>(element));
  return true;
}

PVOID LookupElementGenericTable(PRTL_GENERIC_TABLE table, PVOID buffer) {
  PVOID node_or_parent;
  TABLE_SEARCH_RESULT result;
  return LookupElementGenericTableFull(table, buffer, &node_or_parent, &result);
}

PVOID LookupElementGenericTableFull(PRTL_GENERIC_TABLE table, PVOID buffer, PVOID* node_or_parent,
                                    TABLE_SEARCH_RESULT* result) {
  PRTL_SPLAY_LINKS node;
  *result = Search(table, buffer, &node);
  *node_or_parent = node;
  if (*result != TableFoundNode) return nullptr;
  table->TableRoot = Splay(node);
  return Element::Of(node)->data();
}

PVOID EnumerateGenericTable(PRTL_GENERIC_TABLE table, BOOLEAN restart) {
  PRTL_SPLAY_LINKS node = table->TableRoot;
  if (!node) return nullptr;
  if (restart) {
    while (node->LeftChild) node = node->LeftChild;
  } else {
    node = RealSuccessor(node);  // what the previous call returned is the root
    if (!node) return nullptr;
  }
  table->TableRoot = Splay(node);
  return Element::Of(node)->data();
}

PVOID EnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE table, PVOID* restart_key) {
  auto* node = static_cast<PRTL_SPLAY_LINKS>(*restart_key);
  if (node) {
    node = RealSuccessor(node);
  } else {
    node = table->TableRoot;
    while (node && node->LeftChild) node = node->LeftChild;
  }
  if (!node) return nullptr;
  *restart_key = node;
  return Element::Of(node)->data();
}

PVOID GetElementGenericTable(PRTL_GENERIC_TABLE table, ULONG index) {
  if (index >= table->NumberGenericTableElements) return nullptr;
  // Positions count from 1; the head of the list is 0. The last position is kept, for callers that count up or down.
  const ULONG wanted = index + 1;
  ULONG at = table->WhichOrderedElement;
  PLIST_ENTRY entry = table->OrderedPointer;
  if (wanted < at / 2) at = 0, entry = &table->InsertOrderList;
  for (; at < wanted; ++at) entry = entry->Flink;
  for (; at > wanted; --at) entry = entry->Blink;
  table->OrderedPointer = entry;
  table->WhichOrderedElement = wanted;
  return Element::Of(entry)->data();
}

}  // namespace nt::rtl
