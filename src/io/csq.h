// Cancel-safe queues, as ddi_queues.cc exports them. fltmgr's cbdq has its own.
#pragma once

#include "src/io/io.h"

namespace nt::io {

Status CsqInitialize(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                     PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release,
                     PIO_CSQ_COMPLETE_CANCELED_IRP complete);
Status CsqInsertIrpEx(PIO_CSQ csq, IRP* irp, PIO_CSQ_IRP_CONTEXT context, void* insert_context);
IRP* CsqRemoveNextIrp(PIO_CSQ csq, void* peek_context);
IRP* CsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context);

}  // namespace nt::io
