/* A program as it is written for Windows, with nothing but ntdll's file interface: files on D:, read with an event, an
   APC and a completion port, a directory listed, a section mapped. Its variables lie on its stack and its heap, as
   anybody's do. What is not Windows: the header, and u"" for L"". @returns 0, or the line of what went wrong */
#include <ntio/ntdll.h>

#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)             \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

enum { FILE_BYTES = 100000, PART = 4096 };

static NTSTATUS OpenPath(PHANDLE handle, PCWSTR path, ACCESS_MASK access, ULONG disposition, ULONG options) {
  UNICODE_STRING name;
  OBJECT_ATTRIBUTES attributes;
  IO_STATUS_BLOCK iosb;
  RtlInitUnicodeString(&name, path);
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return NtCreateFile(handle, access, &attributes, &iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                      FILE_SHARE_READ | FILE_SHARE_WRITE, disposition, options, NULL, 0);
}

static int WriteFileData(const unsigned char* data) {
  HANDLE file;
  IO_STATUS_BLOCK iosb;
  LARGE_INTEGER offset;
  FILE_STANDARD_INFORMATION standard;
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\notes.bin", GENERIC_WRITE | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                              FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE)));
  offset.QuadPart = 0;
  REQUIRE(NtWriteFile(file, NULL, NULL, NULL, &iosb, (PVOID)data, FILE_BYTES, &offset, NULL) == STATUS_SUCCESS);
  REQUIRE(iosb.Status == STATUS_SUCCESS && iosb.Information == FILE_BYTES);
  REQUIRE(NtFlushBuffersFile(file, &iosb) == STATUS_SUCCESS);
  REQUIRE(NtQueryInformationFile(file, &iosb, &standard, sizeof standard, FileStandardInformation) == STATUS_SUCCESS);
  REQUIRE(standard.EndOfFile.QuadPart == FILE_BYTES && !standard.Directory);
  REQUIRE(NtClose(file) == STATUS_SUCCESS);
  REQUIRE(NtClose(file) == STATUS_INVALID_HANDLE);
  return 0;
}

static int ReadWithEvent(const unsigned char* data) {
  HANDLE file, event;
  IO_STATUS_BLOCK iosb;
  LARGE_INTEGER offset;
  unsigned char buffer[PART];
  NTSTATUS status;
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\notes.bin", GENERIC_READ, FILE_OPEN, 0)));
  REQUIRE(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE) == STATUS_SUCCESS);
  for (offset.QuadPart = 0; offset.QuadPart < FILE_BYTES; offset.QuadPart += PART) {
    const ULONG left = (ULONG)(FILE_BYTES - offset.QuadPart);
    memset(buffer, 0, sizeof buffer);
    status = NtReadFile(file, event, NULL, NULL, &iosb, buffer, PART, &offset, NULL);
    if (status == STATUS_PENDING) {
      REQUIRE(NtWaitForSingleObject(event, FALSE, NULL) == STATUS_SUCCESS);
      status = iosb.Status;
    }
    REQUIRE(status == STATUS_SUCCESS);
    REQUIRE(iosb.Information == (left < PART ? left : PART));
    REQUIRE(memcmp(buffer, data + offset.QuadPart, iosb.Information) == 0);
  }
  status = NtReadFile(file, event, NULL, NULL, &iosb, buffer, PART, &offset, NULL);
  if (status == STATUS_PENDING) {
    NtWaitForSingleObject(event, FALSE, NULL);
    status = iosb.Status;
  }
  REQUIRE(status == STATUS_END_OF_FILE);
  REQUIRE(NtClose(event) == STATUS_SUCCESS && NtClose(file) == STATUS_SUCCESS);
  return 0;
}

struct Reading {
  IO_STATUS_BLOCK iosb;
  unsigned char buffer[PART];
  LARGE_INTEGER offset;
  int done;
};

static VOID NTAPI ReadDone(PVOID context, PIO_STATUS_BLOCK iosb, ULONG reserved) {
  struct Reading* reading = context;
  (void)reserved;
  if (iosb == &reading->iosb && iosb->Status == STATUS_SUCCESS && iosb->Information == PART) reading->done++;
}

static int ReadWithApcs(const unsigned char* data) {
  enum { READS = 8 };
  struct Reading* readings = calloc(READS, sizeof *readings);
  HANDLE file;
  int i, done;
  REQUIRE(readings);
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\notes.bin", GENERIC_READ, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING)));
  for (i = 0; i < READS; i++) {
    readings[i].offset.QuadPart = (LONGLONG)i * PART;
    REQUIRE(NT_SUCCESS(NtReadFile(file, NULL, ReadDone, &readings[i], &readings[i].iosb, readings[i].buffer, PART,
                                  &readings[i].offset, NULL)));
  }
  do {
    LARGE_INTEGER second;
    second.QuadPart = -10000000;
    for (i = 0, done = 0; i < READS; i++) done += readings[i].done;
    if (done < READS) REQUIRE(NtDelayExecution(TRUE, &second) == STATUS_USER_APC);
  } while (done < READS);
  for (i = 0; i < READS; i++) REQUIRE(memcmp(readings[i].buffer, data + i * PART, PART) == 0 && readings[i].done == 1);
  REQUIRE(NtClose(file) == STATUS_SUCCESS);
  free(readings);
  return 0;
}

static int ReadWithPort(const unsigned char* data) {
  enum { READS = 8 };
  struct Reading* readings = calloc(READS, sizeof *readings);
  FILE_COMPLETION_INFORMATION completion;
  IO_STATUS_BLOCK iosb;
  HANDLE file, port;
  int i, done;
  REQUIRE(readings);
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\notes.bin", GENERIC_READ, FILE_OPEN, 0)));
  REQUIRE(NtCreateIoCompletion(&port, IO_COMPLETION_ALL_ACCESS, NULL, 0) == STATUS_SUCCESS);
  completion.Port = port;
  completion.Key = &completion;
  REQUIRE(NtSetInformationFile(file, &iosb, &completion, sizeof completion, FileCompletionInformation) ==
          STATUS_SUCCESS);
  for (i = 0; i < READS; i++) {
    readings[i].offset.QuadPart = (LONGLONG)i * PART;
    REQUIRE(NT_SUCCESS(NtReadFile(file, NULL, NULL, &readings[i], &readings[i].iosb, readings[i].buffer, PART,
                                  &readings[i].offset, NULL)));
  }
  for (done = 0; done < READS;) {
    FILE_IO_COMPLETION_INFORMATION packets[4];
    ULONG count, k;
    REQUIRE(NtRemoveIoCompletionEx(port, packets, 4, &count, NULL, FALSE) == STATUS_SUCCESS && count > 0);
    for (k = 0; k < count; k++, done++) {
      struct Reading* reading = packets[k].ApcContext;
      REQUIRE(packets[k].KeyContext == &completion);
      REQUIRE(packets[k].IoStatusBlock.Status == STATUS_SUCCESS && packets[k].IoStatusBlock.Information == PART);
      REQUIRE(memcmp(reading->buffer, data + reading->offset.QuadPart, PART) == 0);
    }
  }
  REQUIRE(NtClose(file) == STATUS_SUCCESS && NtClose(port) == STATUS_SUCCESS);
  free(readings);
  return 0;
}

static int ListDirectory(void) {
  HANDLE directory, file;
  IO_STATUS_BLOCK iosb;
  UNICODE_STRING pattern = RTL_CONSTANT_STRING(u"*.BIN");
  unsigned char buffer[600];
  int names = 0, notes = 0;
  NTSTATUS status;
  BOOLEAN restart = TRUE;
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\second.bin", GENERIC_WRITE, FILE_OVERWRITE_IF, 0)));
  REQUIRE(NtClose(file) == STATUS_SUCCESS);
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\other.txt", GENERIC_WRITE, FILE_OVERWRITE_IF, 0)));
  REQUIRE(NtClose(file) == STATUS_SUCCESS);
  REQUIRE(NT_SUCCESS(OpenPath(&directory, u"\\??\\D:\\", FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_OPEN,
                              FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT)));
  for (;;) {
    PFILE_BOTH_DIR_INFORMATION entry = (PFILE_BOTH_DIR_INFORMATION)buffer;
    status = NtQueryDirectoryFile(directory, NULL, NULL, NULL, &iosb, buffer, sizeof buffer,
                                  FileBothDirectoryInformation, FALSE, &pattern, restart);
    if (status == STATUS_NO_MORE_FILES) break;
    REQUIRE(status == STATUS_SUCCESS);
    restart = FALSE;
    for (;;) {
      names++;
      if (entry->FileNameLength == 9 * sizeof(WCHAR) &&
          memcmp(entry->FileName, u"notes.bin", entry->FileNameLength) == 0)
        notes += entry->EndOfFile.QuadPart == FILE_BYTES;
      if (entry->NextEntryOffset == 0) break;
      entry = (PFILE_BOTH_DIR_INFORMATION)((unsigned char*)entry + entry->NextEntryOffset);
    }
  }
  REQUIRE(names == 2 && notes == 1);
  REQUIRE(NtClose(directory) == STATUS_SUCCESS);
  return 0;
}

static int MapFile(const unsigned char* data) {
  HANDLE file, section;
  PVOID base = NULL;
  SIZE_T bytes = 0;
  IO_STATUS_BLOCK iosb;
  LARGE_INTEGER offset;
  unsigned char byte = 0, *view;
  REQUIRE(NT_SUCCESS(OpenPath(&file, u"\\??\\D:\\notes.bin", GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, FILE_OPEN,
                              FILE_SYNCHRONOUS_IO_NONALERT)));
  REQUIRE(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, file) ==
          STATUS_SUCCESS);
  REQUIRE(NtMapViewOfSection(section, NtCurrentProcess(), &base, 0, 0, NULL, &bytes, ViewUnmap, 0, PAGE_READWRITE) ==
          STATUS_SUCCESS);
  view = base;
  REQUIRE(bytes >= FILE_BYTES);
  REQUIRE(memcmp(view, data, FILE_BYTES) == 0);
  view[12345] ^= 0xff; /* a write through the view is what a read finds */
  offset.QuadPart = 12345;
  REQUIRE(NtReadFile(file, NULL, NULL, NULL, &iosb, &byte, 1, &offset, NULL) == STATUS_SUCCESS);
  REQUIRE(byte == (unsigned char)(data[12345] ^ 0xff));
  byte ^= 0xff;
  REQUIRE(NtWriteFile(file, NULL, NULL, NULL, &iosb, &byte, 1, &offset, NULL) == STATUS_SUCCESS);
  REQUIRE(view[12345] == data[12345]);
  /* and a view is as good a buffer as any */
  offset.QuadPart = 0;
  REQUIRE(NtWriteFile(file, NULL, NULL, NULL, &iosb, view + 50000, 1000, &offset, NULL) == STATUS_SUCCESS);
  REQUIRE(memcmp(view, data + 50000, 1000) == 0);
  REQUIRE(NtUnmapViewOfSection(NtCurrentProcess(), base) == STATUS_SUCCESS);
  REQUIRE(NtClose(section) == STATUS_SUCCESS && NtClose(file) == STATUS_SUCCESS);
  return 0;
}

int WindowsProgram(void) {
  unsigned char* data = malloc(FILE_BYTES);
  int line, i;
  if (!data) return __LINE__;
  for (i = 0; i < FILE_BYTES; i++) data[i] = (unsigned char)(i * 7 + i / 251);
  line = WriteFileData(data);
  if (!line) line = ReadWithEvent(data);
  if (!line) line = ReadWithApcs(data);
  if (!line) line = ReadWithPort(data);
  if (!line) line = ListDirectory();
  if (!line) line = MapFile(data);
  free(data);
  return line;
}
