// The tree of keys. Private to cm.
//
// One lock (rank kRegistry) guards everything reachable from the root; ...Locked functions need it. A Node lives as long as its
// parent lists it or a key object or RefPtr holds it; a deleted node has no parent and refuses every operation with
// STATUS_KEY_DELETED. Notices of changes are collected under the lock and delivered after it (Notices).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ntifs.h"
#include "src/base/lock.h"
#include "src/base/ref_ptr.h"
#include "src/base/status.h"
#include "src/cm/cm.h"

namespace nt::cm {

// Documented limits of the registry ("Registry Element Size Limits").
inline constexpr size_t kMaxKeyNameChars = 255;
inline constexpr size_t kMaxValueNameChars = 16383;
inline constexpr size_t kMaxDepth = 512;
inline constexpr ULONG kMaxValueBytes = 64u << 20;  // Windows: "available memory"

struct NamedValue {
  std::u16string name;
  Value value;
};

struct Node : RefCounted<Node> {
  std::u16string name;       // as created
  std::u16string folded;     // upcased: the order among siblings
  std::u16string class_name;
  Node* parent = nullptr;    // null for the root and for deleted keys
  std::vector<RefPtr<Node>> subkeys;  // by folded name
  std::vector<NamedValue> values;     // in order of creation
  LONGLONG last_write_time = 0;
  bool is_volatile = false;
  bool is_link = false;      // REG_OPTION_CREATE_LINK
  bool is_fixed = false;     // a root of a hive: cannot be deleted or renamed
  bool deleted = false;
};

/// The body of an object of type Key.
struct Watch;
struct KeyObject {
  Node* node;      // holds a reference
  Watch* watch;    // guarded by the registry's lock; null until the first NtNotifyChangeKey
};

extern Lock g_lock;

/// Completions of change notices. Declare before the LockGuard: the destructor runs without the lock.
class Notices {
 public:
  Notices() = default;
  ~Notices();
  Notices(const Notices&) = delete;
  Notices& operator=(const Notices&) = delete;

  struct Notice {
    void* event;  // referenced KEVENT object, or null
    PIO_STATUS_BLOCK io_status;
    PWORK_QUEUE_ITEM item;
    WORK_QUEUE_TYPE queue;
    PKEVENT waiter;           // of a synchronous call
    NTSTATUS* waiter_status;
  };
  void Add(const Notice& notice, NTSTATUS status) { done_.push_back({notice, status}); }

 private:
  struct Done {
    Notice notice;
    NTSTATUS status;
  };
  std::vector<Done> done_;
};

// --- the tree (registry.cc) --------------------------------------------------------------------------------------------------

Node* RootLocked() NT_REQUIRES(g_lock);
Status TreeBoot();
void TreeShutdown();

enum class Create : bool { kNo, kYes };
enum class LastLink : bool { kFollow, kOpen };

/// Where a path leads.
struct Place {
  RefPtr<Node> node;    // the key, or null when it is missing
  RefPtr<Node> parent;  // with node null: the key under which the last component `name` is missing
  std::u16string name;
};
/// Walks `path` below `start`; links restart at the root. A missing component that is not the last one is
/// STATUS_OBJECT_NAME_NOT_FOUND, as on NT.
Status WalkLocked(Node* start, std::u16string_view path, LastLink last, Place* place) NT_REQUIRES(g_lock);
Status FindLocked(std::u16string_view absolute_path, RefPtr<Node>* node) NT_REQUIRES(g_lock);
/// Creates the key and those above.
Status CreatePathLocked(std::u16string_view absolute_path, RefPtr<Node>* node, Notices* notices) NT_REQUIRES(g_lock);

Status AddSubkeyLocked(Node* parent, std::u16string_view name, bool is_volatile, RefPtr<Node>* node, Notices* notices)
    NT_REQUIRES(g_lock);
/// STATUS_CANNOT_DELETE: it has subkeys or is fixed.
Status DeleteNodeLocked(Node* node, Notices* notices) NT_REQUIRES(g_lock);
Status DeleteTreeLocked(Node* node, Notices* notices) NT_REQUIRES(g_lock);
Status RenameLocked(Node* node, std::u16string_view name, Notices* notices) NT_REQUIRES(g_lock);
Node* SubkeyLocked(Node* parent, std::u16string_view name) NT_REQUIRES(g_lock);

NamedValue* ValueLocked(Node* node, std::u16string_view name) NT_REQUIRES(g_lock);
Status SetValueLocked(Node* node, std::u16string_view name, Value value, Notices* notices) NT_REQUIRES(g_lock);
Status DeleteValueLocked(Node* node, std::u16string_view name, Notices* notices) NT_REQUIRES(g_lock);

/// \REGISTRY\MACHINE\...; empty for a deleted key.
std::u16string PathLocked(const Node* node) NT_REQUIRES(g_lock);

// --- notices (notify.cc) -------------------------------------------------------------------------------------------------------

/// @param kind  one REG_NOTIFY_CHANGE_*; a NAME change is reported at the key whose list of subkeys changed
void ReportLocked(Node* node, ULONG kind, Notices* notices) NT_REQUIRES(g_lock);
/// Ends the watches on a deleted key.
void ReportDeletedLocked(Node* node, Notices* notices) NT_REQUIRES(g_lock);
/// The handle of a key object is closed.
void EndWatch(KeyObject* key);

// --- key objects (key_object.cc) ------------------------------------------------------------------------------------------------

/// A counted reference to the key object of a handle.
class KeyReference {
 public:
  KeyReference() = default;
  ~KeyReference();
  KeyReference(const KeyReference&) = delete;
  KeyReference& operator=(const KeyReference&) = delete;
  Status Open(HANDLE handle, ACCESS_MASK access);
  KeyObject* get() const { return key_; }
  Node* node() const { return key_->node; }

 private:
  KeyObject* key_ = nullptr;
};

/// The bytes of a string value up to its terminator.
std::u16string_view StringOf(const Value& value);
Value MakeString(std::u16string_view text, ULONG type);
Value MakeDword(ULONG value);

}  // namespace nt::cm
