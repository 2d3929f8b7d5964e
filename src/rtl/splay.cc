// Splay trees over RTL_SPLAY_LINKS (Sleator and Tarjan). A root is its own parent. The links lie inside the caller's
// structures and the caller inserts them itself; the tree is restructured by every Splay.
#include "src/rtl/rtl.h"

namespace nt::rtl {
namespace {

using Links = PRTL_SPLAY_LINKS;

bool IsRoot(Links node) { return node->Parent == node; }

/// Puts `node` where `old` hangs below its parent; a root becomes a root.
void ReplaceInParent(Links old, Links node) {
  if (IsRoot(old)) {
    node->Parent = node;
    return;
  }
  Links parent = old->Parent;
  (parent->LeftChild == old ? parent->LeftChild : parent->RightChild) = node;
  node->Parent = parent;
}

void SetLeft(Links node, Links child) {
  node->LeftChild = child;
  if (child) child->Parent = node;
}

void SetRight(Links node, Links child) {
  node->RightChild = child;
  if (child) child->Parent = node;
}

/// Lifts `node` above its parent, keeping the order.
void Rotate(Links node) {
  Links parent = node->Parent;
  const bool was_left = parent->LeftChild == node;
  ReplaceInParent(parent, node);
  if (was_left) {
    SetLeft(parent, node->RightChild);
    SetRight(node, parent);
  } else {
    SetRight(parent, node->LeftChild);
    SetLeft(node, parent);
  }
}

}  // namespace

PRTL_SPLAY_LINKS Splay(PRTL_SPLAY_LINKS node) {
  while (!IsRoot(node)) {
    Links parent = node->Parent;
    if (!IsRoot(parent)) {
      const bool zig_zig = (parent->LeftChild == node) == (parent->Parent->LeftChild == parent);
      Rotate(zig_zig ? parent : node);
    }
    Rotate(node);
  }
  return node;
}

void DeleteNoSplay(PRTL_SPLAY_LINKS node, PRTL_SPLAY_LINKS* root) {
  if (node->LeftChild && node->RightChild) {
    // The predecessor, which has no right child, takes the node's place.
    Links stand_in = SubtreePredecessor(node);
    DeleteNoSplay(stand_in, root);
    const bool was_root = IsRoot(node);
    ReplaceInParent(node, stand_in);
    SetLeft(stand_in, node->LeftChild);
    SetRight(stand_in, node->RightChild);
    if (was_root) *root = stand_in;
    return;
  }
  Links child = node->LeftChild ? node->LeftChild : node->RightChild;
  if (IsRoot(node)) {
    if (child) child->Parent = child;
    *root = child;
    return;
  }
  Links parent = node->Parent;
  (parent->LeftChild == node ? parent->LeftChild : parent->RightChild) = child;
  if (child) child->Parent = parent;
}

PRTL_SPLAY_LINKS Delete(PRTL_SPLAY_LINKS node) {
  Links root = nullptr;
  if (node->LeftChild && node->RightChild) {
    Links stand_in = SubtreePredecessor(node);
    DeleteNoSplay(node, &root);
    return Splay(stand_in);
  }
  Links parent = IsRoot(node) ? nullptr : node->Parent;
  DeleteNoSplay(node, &root);
  return parent ? Splay(parent) : root;
}

PRTL_SPLAY_LINKS SubtreeSuccessor(PRTL_SPLAY_LINKS node) {
  Links at = node->RightChild;
  while (at && at->LeftChild) at = at->LeftChild;
  return at;
}

PRTL_SPLAY_LINKS SubtreePredecessor(PRTL_SPLAY_LINKS node) {
  Links at = node->LeftChild;
  while (at && at->RightChild) at = at->RightChild;
  return at;
}

PRTL_SPLAY_LINKS RealSuccessor(PRTL_SPLAY_LINKS node) {
  if (node->RightChild) return SubtreeSuccessor(node);
  while (!IsRoot(node)) {
    if (node->Parent->LeftChild == node) return node->Parent;
    node = node->Parent;
  }
  return nullptr;
}

PRTL_SPLAY_LINKS RealPredecessor(PRTL_SPLAY_LINKS node) {
  if (node->LeftChild) return SubtreePredecessor(node);
  while (!IsRoot(node)) {
    if (node->Parent->RightChild == node) return node->Parent;
    node = node->Parent;
  }
  return nullptr;
}

}  // namespace nt::rtl
