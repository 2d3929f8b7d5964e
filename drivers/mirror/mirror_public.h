/* How a program asks a mirror for the state of its sides. */
#pragma once

#define MIRROR_SIDES 2

#define IOCTL_MIRROR_GET_STATE CTL_CODE(FILE_DEVICE_DISK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _MIRROR_STATE {
  NTSTATUS Failed[MIRROR_SIDES]; /* STATUS_SUCCESS: the side works; else what it failed with */
  ULONG Requests[MIRROR_SIDES];  /* sent to it */
} MIRROR_STATE, *PMIRROR_STATE;
