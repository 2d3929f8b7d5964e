// SCSI command blocks, as far as file systems look at them.
#pragma once
#include "ntdef.h"

#define SCSIOP_TEST_UNIT_READY 0x00
#define SCSIOP_REQUEST_SENSE 0x03
#define SCSIOP_FORMAT_UNIT 0x04
#define SCSIOP_INQUIRY 0x12
#define SCSIOP_MODE_SELECT 0x15
#define SCSIOP_MODE_SENSE 0x1A
#define SCSIOP_START_STOP_UNIT 0x1B
#define SCSIOP_MEDIUM_REMOVAL 0x1E
#define SCSIOP_READ_CAPACITY 0x25
#define SCSIOP_READ 0x28
#define SCSIOP_WRITE 0x2A
#define SCSIOP_VERIFY 0x2F
#define SCSIOP_SYNCHRONIZE_CACHE 0x35
#define SCSIOP_UNMAP 0x42
#define SCSIOP_READ_TOC 0x43
#define SCSIOP_READ16 0x88
#define SCSIOP_WRITE16 0x8A
#define SCSIOP_READ_CAPACITY16 0x9E

typedef union _CDB {
    struct {
        UCHAR OperationCode;
        UCHAR LogicalUnitNumberAndFlags;
        UCHAR LogicalBlock[4];
        UCHAR Reserved;
        UCHAR TransferBlocks[2];
        UCHAR Control;
    } Bytes10;
    ULONG AsUlong[4];
    UCHAR AsByte[16];
} CDB, *PCDB;
