// Exports: splay links, generic tables, AVL tables, prefix tables.
#include "src/ldr/export.h"
#include "src/rtl/rtl.h"

namespace rtl = nt::rtl;

NT_EXPORT(PRTL_SPLAY_LINKS, RtlSplay, (PRTL_SPLAY_LINKS links), (links)) { return rtl::Splay(links); }
NT_EXPORT(PRTL_SPLAY_LINKS, RtlDelete, (PRTL_SPLAY_LINKS links), (links)) { return rtl::Delete(links); }
NT_EXPORT(VOID, RtlDeleteNoSplay, (PRTL_SPLAY_LINKS links, PRTL_SPLAY_LINKS* root), (links, root)) {
  rtl::DeleteNoSplay(links, root);
}
NT_EXPORT(PRTL_SPLAY_LINKS, RtlSubtreeSuccessor, (PRTL_SPLAY_LINKS links), (links)) {
  return rtl::SubtreeSuccessor(links);
}
NT_EXPORT(PRTL_SPLAY_LINKS, RtlSubtreePredecessor, (PRTL_SPLAY_LINKS links), (links)) {
  return rtl::SubtreePredecessor(links);
}
NT_EXPORT(PRTL_SPLAY_LINKS, RtlRealSuccessor, (PRTL_SPLAY_LINKS links), (links)) { return rtl::RealSuccessor(links); }
NT_EXPORT(PRTL_SPLAY_LINKS, RtlRealPredecessor, (PRTL_SPLAY_LINKS links), (links)) {
  return rtl::RealPredecessor(links);
}

// ---- generic tables over splay trees ----

NT_EXPORT(VOID, RtlInitializeGenericTable,
          (PRTL_GENERIC_TABLE table, PRTL_GENERIC_COMPARE_ROUTINE compare, PRTL_GENERIC_ALLOCATE_ROUTINE allocate,
           PRTL_GENERIC_FREE_ROUTINE free, PVOID context),
          (table, compare, allocate, free, context)) {
  rtl::InitializeGenericTable(table, compare, allocate, free, context);
}
NT_EXPORT(PVOID, RtlInsertElementGenericTable, (PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new),
          (table, buffer, bytes, is_new)) {
  return rtl::InsertElementGenericTable(table, buffer, bytes, is_new);
}
NT_EXPORT(PVOID, RtlInsertElementGenericTableFull,
          (PRTL_GENERIC_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new, PVOID node_or_parent,
           TABLE_SEARCH_RESULT result),
          (table, buffer, bytes, is_new, node_or_parent, result)) {
  return rtl::InsertElementGenericTableFull(table, buffer, bytes, is_new, node_or_parent, result);
}
NT_EXPORT(BOOLEAN, RtlDeleteElementGenericTable, (PRTL_GENERIC_TABLE table, PVOID buffer), (table, buffer)) {
  return rtl::DeleteElementGenericTable(table, buffer);
}
NT_EXPORT(PVOID, RtlLookupElementGenericTable, (PRTL_GENERIC_TABLE table, PVOID buffer), (table, buffer)) {
  return rtl::LookupElementGenericTable(table, buffer);
}
NT_EXPORT(PVOID, RtlLookupElementGenericTableFull,
          (PRTL_GENERIC_TABLE table, PVOID buffer, PVOID* node_or_parent, TABLE_SEARCH_RESULT* result),
          (table, buffer, node_or_parent, result)) {
  return rtl::LookupElementGenericTableFull(table, buffer, node_or_parent, result);
}
NT_EXPORT(PVOID, RtlEnumerateGenericTable, (PRTL_GENERIC_TABLE table, BOOLEAN restart), (table, restart)) {
  return rtl::EnumerateGenericTable(table, restart);
}
NT_EXPORT(PVOID, RtlEnumerateGenericTableWithoutSplaying, (PRTL_GENERIC_TABLE table, PVOID* restart_key),
          (table, restart_key)) {
  return rtl::EnumerateGenericTableWithoutSplaying(table, restart_key);
}
NT_EXPORT(PVOID, RtlGetElementGenericTable, (PRTL_GENERIC_TABLE table, ULONG index), (table, index)) {
  return rtl::GetElementGenericTable(table, index);
}
NT_EXPORT(ULONG, RtlNumberGenericTableElements, (PRTL_GENERIC_TABLE table), (table)) {
  return table->NumberGenericTableElements;
}
NT_EXPORT(BOOLEAN, RtlIsGenericTableEmpty, (PRTL_GENERIC_TABLE table), (table)) { return table->TableRoot == nullptr; }

// ---- generic tables over AVL trees ----

NT_EXPORT(VOID, RtlInitializeGenericTableAvl,
          (PRTL_AVL_TABLE table, PRTL_AVL_COMPARE_ROUTINE compare, PRTL_AVL_ALLOCATE_ROUTINE allocate,
           PRTL_AVL_FREE_ROUTINE free, PVOID context),
          (table, compare, allocate, free, context)) {
  rtl::InitializeGenericTableAvl(table, compare, allocate, free, context);
}
NT_EXPORT(PVOID, RtlInsertElementGenericTableAvl, (PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new),
          (table, buffer, bytes, is_new)) {
  return rtl::InsertElementGenericTableAvl(table, buffer, bytes, is_new);
}
NT_EXPORT(PVOID, RtlInsertElementGenericTableFullAvl,
          (PRTL_AVL_TABLE table, PVOID buffer, CLONG bytes, PBOOLEAN is_new, PVOID node_or_parent,
           TABLE_SEARCH_RESULT result),
          (table, buffer, bytes, is_new, node_or_parent, result)) {
  return rtl::InsertElementGenericTableFullAvl(table, buffer, bytes, is_new, node_or_parent, result);
}
NT_EXPORT(BOOLEAN, RtlDeleteElementGenericTableAvl, (PRTL_AVL_TABLE table, PVOID buffer), (table, buffer)) {
  return rtl::DeleteElementGenericTableAvl(table, buffer);
}
NT_EXPORT(VOID, RtlDeleteElementGenericTableAvlEx, (PRTL_AVL_TABLE table, PVOID node), (table, node)) {
  rtl::DeleteElementGenericTableAvlEx(table, node);
}
NT_EXPORT(PVOID, RtlLookupElementGenericTableAvl, (PRTL_AVL_TABLE table, PVOID buffer), (table, buffer)) {
  return rtl::LookupElementGenericTableAvl(table, buffer);
}
NT_EXPORT(PVOID, RtlLookupElementGenericTableFullAvl,
          (PRTL_AVL_TABLE table, PVOID buffer, PVOID* node_or_parent, TABLE_SEARCH_RESULT* result),
          (table, buffer, node_or_parent, result)) {
  return rtl::LookupElementGenericTableFullAvl(table, buffer, node_or_parent, result);
}
NT_EXPORT(PVOID, RtlLookupFirstMatchingElementGenericTableAvl,
          (PRTL_AVL_TABLE table, PVOID buffer, PVOID* restart_key), (table, buffer, restart_key)) {
  return rtl::LookupFirstMatchingElementGenericTableAvl(table, buffer, restart_key);
}
NT_EXPORT(PVOID, RtlEnumerateGenericTableAvl, (PRTL_AVL_TABLE table, BOOLEAN restart), (table, restart)) {
  return rtl::EnumerateGenericTableAvl(table, restart);
}
NT_EXPORT(PVOID, RtlEnumerateGenericTableWithoutSplayingAvl, (PRTL_AVL_TABLE table, PVOID* restart_key),
          (table, restart_key)) {
  return rtl::EnumerateGenericTableWithoutSplayingAvl(table, restart_key);
}
NT_EXPORT(PVOID, RtlEnumerateGenericTableLikeADirectory,
          (PRTL_AVL_TABLE table, PRTL_AVL_MATCH_FUNCTION match, PVOID match_data, ULONG next, PVOID* restart_key,
           PULONG delete_count, PVOID buffer),
          (table, match, match_data, next, restart_key, delete_count, buffer)) {
  return rtl::EnumerateGenericTableLikeADirectory(table, match, match_data, next, restart_key, delete_count, buffer);
}
NT_EXPORT(PVOID, RtlGetElementGenericTableAvl, (PRTL_AVL_TABLE table, ULONG index), (table, index)) {
  return rtl::GetElementGenericTableAvl(table, index);
}
NT_EXPORT(ULONG, RtlNumberGenericTableElementsAvl, (PRTL_AVL_TABLE table), (table)) {
  return table->NumberGenericTableElements;
}
NT_EXPORT(BOOLEAN, RtlIsGenericTableEmptyAvl, (PRTL_AVL_TABLE table), (table)) {
  return table->NumberGenericTableElements == 0;
}

// ---- prefix tables ----

NT_EXPORT(VOID, RtlInitializeUnicodePrefix, (PUNICODE_PREFIX_TABLE table), (table)) {
  rtl::InitializeUnicodePrefix(table);
}
NT_EXPORT(BOOLEAN, RtlInsertUnicodePrefix,
          (PUNICODE_PREFIX_TABLE table, PUNICODE_STRING prefix, PUNICODE_PREFIX_TABLE_ENTRY entry),
          (table, prefix, entry)) {
  return rtl::InsertUnicodePrefix(table, prefix, entry);
}
NT_EXPORT(VOID, RtlRemoveUnicodePrefix, (PUNICODE_PREFIX_TABLE table, PUNICODE_PREFIX_TABLE_ENTRY entry),
          (table, entry)) {
  rtl::RemoveUnicodePrefix(table, entry);
}
NT_EXPORT(PUNICODE_PREFIX_TABLE_ENTRY, RtlFindUnicodePrefix,
          (PUNICODE_PREFIX_TABLE table, PUNICODE_STRING full_name, ULONG case_insensitive_index),
          (table, full_name, case_insensitive_index)) {
  return rtl::FindUnicodePrefix(table, full_name, case_insensitive_index);
}
NT_EXPORT(PUNICODE_PREFIX_TABLE_ENTRY, RtlNextUnicodePrefix, (PUNICODE_PREFIX_TABLE table, BOOLEAN restart),
          (table, restart)) {
  return rtl::NextUnicodePrefix(table, restart);
}
