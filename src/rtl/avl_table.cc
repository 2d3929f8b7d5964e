// Generic tables over AVL trees. BalancedRoot is no element: its right child is the tree's root, and it is its own parent.
// Look-ups do not change the table, so callers may share a lock for them. An element is the caller's bytes behind
// RTL_BALANCED_LINKS; AllocateRoutine is asked for both, and drivers size their lookaside lists by that.
#include <cstring>
#include <utility>

#include "src/ldr/call.h"
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

using Links = PRTL_BALANCED_LINKS;

void* DataOf(Links node) { return node + 1; }

Links& Child(Links node, int side) { return side < 0 ? node->LeftChild : node->RightChild; }
int SideOf(Links node) { return node->Parent->LeftChild == node ? -1 : 1; }

Links Leftmost(Links node) {
  while (node && node->LeftChild) node = node->LeftChild;
  return node;
}

Links First(PRTL_AVL_TABLE table) { return Leftmost(table->BalancedRoot.RightChild); }

bool IsHead(Links node) { return node->Parent == node; }

Links Successor(Links node) {
  if (node->RightChild) return Leftmost(node->RightChild);
  // Out of the tree's root one comes as a right child, to the head.
  while (!IsHead(node) && SideOf(node) > 0) node = node->Parent;
  return IsHead(node) ? nullptr : node->Parent;
}

Links Predecessor(Links node) {
  if (node->LeftChild) {
    node = node->LeftChild;
    while (node->RightChild) node = node->RightChild;
    return node;
  }
  while (!IsHead(node->Parent) && SideOf(node) < 0) node = node->Parent;
  return IsHead(node->Parent) ? nullptr : node->Parent;
}

/// Lifts `node` above its parent. Balances are the caller's.
void Rotate(Links node) {
  Links parent = node->Parent;
  const int side = SideOf(node);
  Child(parent->Parent, SideOf(parent)) = node;
  node->Parent = parent->Parent;
  Links inner = Child(node, -side);
  Child(parent, side) = inner;
  if (inner) inner->Parent = parent;
  Child(node, -side) = parent;
  parent->Parent = node;
}

/// `node` leans two levels to `side`. Afterwards the subtree is balanced.
/// @returns its new root; *shrunk tells whether it became one level lower
Links Rebalance(Links node, int side, bool* shrunk) {
  Links heavy = Child(node, side);
  *shrunk = true;
  if (heavy->Balance == -side) {
    Links inner = Child(heavy, -side);
    Rotate(inner);
    Rotate(inner);
    node->Balance = static_cast<CHAR>(inner->Balance == side ? -side : 0);
    heavy->Balance = static_cast<CHAR>(inner->Balance == -side ? side : 0);
    inner->Balance = 0;
    return inner;
  }
  Rotate(heavy);
  if (heavy->Balance == 0) {
    node->Balance = static_cast<CHAR>(side);
    heavy->Balance = static_cast<CHAR>(-side);
    *shrunk = false;
  } else {
    node->Balance = heavy->Balance = 0;
  }
  return heavy;
}

TABLE_SEARCH_RESULT Search(PRTL_AVL_TABLE table, PVOID key, Links* node_or_parent) {
  Links node = table->BalancedRoot.RightChild;
  *node_or_parent = nullptr;
  if (!node) return TableEmptyTree;
  for (;;) {
    *node_or_parent = node;
    switch (CallDriver(table->CompareRoutine, table, key, DataOf(node))) {
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

void Unlink(PRTL_AVL_TABLE table, Links node) {
  // What goes from the tree's shape is `gone`: the node, or its nearer neighbour in order, which then replaces it.
  Links gone = node;
  if (node->LeftChild && node->RightChild) gone = node->Balance < 0 ? Predecessor(node) : Successor(node);
  Links child = gone->LeftChild ? gone->LeftChild : gone->RightChild;
  Links parent = gone->Parent;
  int side = SideOf(gone);
  Child(parent, side) = child;
  if (child) child->Parent = parent;

  while (parent != &table->BalancedRoot) {
    bool shrunk = true;
    Links up = parent->Parent;
    const int up_side = SideOf(parent);
    if (parent->Balance == side) {
      parent->Balance = 0;
    } else if (parent->Balance == 0) {
      parent->Balance = static_cast<CHAR>(-side);
      shrunk = false;
    } else {
      Rebalance(parent, -side, &shrunk);
    }
    if (!shrunk) break;
    parent = up;
    side = up_side;
  }
  if (parent == &table->BalancedRoot) --table->DepthOfTree;

  if (gone != node) {
    *gone = *node;
    Child(gone->Parent, SideOf(node)) = gone;
    if (gone->LeftChild) gone->LeftChild->Parent = gone;
    if (gone->RightChild) gone->RightChild->Parent = gone;
  }
}

}  // namespace

void InitializeGenericTableAvl(PRTL_AVL_TABLE table, PRTL_AVL_COMPARE_ROUTINE compare,
                               PRTL_AVL_ALLOCATE_ROUTINE allocate, PRTL_AVL_FREE_ROUTINE free, PVOID context) {
  *table = {};
  table->BalancedRoot.Parent = &table->BalancedRoot;
  table->CompareRoutine = compare;
  table->AllocateRoutine = allocate;
  table->FreeRoutine = free;
  table->TableContext = context;
}

PVOID InsertElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new) {
  Links node_or_parent;
  const TABLE_SEARCH_RESULT result = Search(table, buffer, &node_or_parent);
  return InsertElementGenericTableFullAvl(table, buffer, bytes, is_new, node_or_parent, result);
}

PVOID InsertElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new,
                                       PVOID node_or_parent, TABLE_SEARCH_RESULT result) {
  if (is_new) *is_new = FALSE;
  if (result == TableFoundNode) return DataOf(static_cast<Links>(node_or_parent));
  auto* node = static_cast<Links>(
      CallDriver(table->AllocateRoutine, table, static_cast<CLONG>(sizeof(RTL_BALANCED_LINKS) + bytes)));
  if (!node) return nullptr;
  *node = {};
  memcpy(DataOf(node), buffer, bytes);
  if (is_new) *is_new = TRUE;
  ++table->NumberGenericTableElements;
  table->OrderedPointer = nullptr;
  table->WhichOrderedElement = 0;

  if (result == TableEmptyTree) {
    node->Parent = &table->BalancedRoot;
    table->BalancedRoot.RightChild = node;
    table->DepthOfTree = 1;
    return DataOf(node);
  }
  node->Parent = static_cast<Links>(node_or_parent);
  Child(node->Parent, result == TableInsertAsLeft ? -1 : 1) = node;
  // Up the tree until a subtree's height stays what it was.
  Links at = node;
  for (Links parent = at->Parent; parent != &table->BalancedRoot; at = parent, parent = at->Parent) {
    const int side = SideOf(at);
    if (parent->Balance == 0) {
      parent->Balance = static_cast<CHAR>(side);
      continue;
    }
    if (parent->Balance == side) {
      bool shrunk;
      Rebalance(parent, side, &shrunk);
    } else {
      parent->Balance = 0;
    }
    return DataOf(node);
  }
  ++table->DepthOfTree;
  return DataOf(node);
}

bool DeleteElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer) {
  Links node;
  if (Search(table, buffer, &node) != TableFoundNode) return false;
  DeleteElementGenericTableAvlEx(table, node);
  return true;
}

void DeleteElementGenericTableAvlEx(PRTL_AVL_TABLE table, PVOID links) {
  auto* node = static_cast<Links>(links);
  // An enumeration that stands here goes on with what follows.
  if (table->RestartKey == node) table->RestartKey = Predecessor(node);
  ++table->DeleteCount;
  Unlink(table, node);
  --table->NumberGenericTableElements;
  table->OrderedPointer = nullptr;
  table->WhichOrderedElement = 0;
  CallDriver(table->FreeRoutine, table, static_cast<PVOID>(node));
}

PVOID LookupElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer) {
  Links node;
  return Search(table, buffer, &node) == TableFoundNode ? DataOf(node) : nullptr;
}

PVOID LookupElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID* node_or_parent,
                                       TABLE_SEARCH_RESULT* result) {
  Links node;
  *result = Search(table, buffer, &node);
  *node_or_parent = node;
  return *result == TableFoundNode ? DataOf(node) : nullptr;
}

PVOID LookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID* restart_key) {
  Links node;
  *restart_key = nullptr;
  if (Search(table, buffer, &node) != TableFoundNode) return nullptr;
  for (Links before = Predecessor(node);
       before && CallDriver(table->CompareRoutine, table, buffer, DataOf(before)) == GenericEqual;
       before = Predecessor(before))
    node = before;
  *restart_key = node;
  return DataOf(node);
}

PVOID EnumerateGenericTableAvl(PRTL_AVL_TABLE table, BOOLEAN restart) {
  if (restart) table->RestartKey = nullptr;
  Links node = table->RestartKey ? Successor(table->RestartKey) : First(table);
  if (!node) return nullptr;
  table->RestartKey = node;
  return DataOf(node);
}

PVOID EnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE table, PVOID* restart_key) {
  auto* last = static_cast<Links>(*restart_key);
  Links node = last ? Successor(last) : First(table);
  if (!node) return nullptr;
  *restart_key = node;
  return DataOf(node);
}

PVOID EnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE table, PRTL_AVL_MATCH_FUNCTION match, PVOID match_data,
                                          ULONG next, PVOID* restart_key, PULONG delete_count, PVOID buffer) {
  if (!table->BalancedRoot.RightChild) {
    *restart_key = nullptr;
    return nullptr;
  }
  // After a deletion the key may be freed memory; the position is found again by value.
  auto* node = *delete_count == table->DeleteCount ? static_cast<Links>(*restart_key) : nullptr;
  if (node) {
    if (next) node = Successor(node);
  } else {
    switch (Search(table, buffer, &node)) {
      case TableFoundNode:
        if (next) node = Successor(node);
        break;
      case TableInsertAsRight:
        node = Successor(node);
        break;
      default:  // the parent is the first greater element
        break;
    }
  }
  for (; node; node = Successor(node)) {
    const NTSTATUS status = match ? CallDriver(match, table, DataOf(node), match_data) : STATUS_SUCCESS;
    if (status == STATUS_SUCCESS) break;
    if (status == STATUS_NO_MORE_MATCHES) node = nullptr;
    if (!node) break;
  }
  *delete_count = table->DeleteCount;
  if (!node) return nullptr;
  *restart_key = node;
  return DataOf(node);
}

PVOID GetElementGenericTableAvl(PRTL_AVL_TABLE table, ULONG index) {
  if (index >= table->NumberGenericTableElements) return nullptr;
  // In the order of the keys. The last position, counted from 1, is kept, for callers that count up or down.
  const ULONG wanted = index + 1;
  ULONG at = table->WhichOrderedElement;
  auto* node = static_cast<Links>(table->OrderedPointer);
  if (!node || wanted < at / 2) at = 1, node = First(table);
  for (; at < wanted; ++at) node = Successor(node);
  for (; at > wanted; --at) node = Predecessor(node);
  table->OrderedPointer = node;
  table->WhichOrderedElement = wanted;
  return DataOf(node);
}

}  // namespace nt::rtl
