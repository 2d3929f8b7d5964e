// Cancel-safe queues (IoCsq*): the driver stores the IRPs, these routines own the race with cancellation.
//
// While an IRP is queued, DriverContext[3] points at the queue or at the caller's context, whose Csq points at the queue.
#include "src/io/csq.h"

#include "src/io/internal.h"

namespace nt::io {
namespace {

bool IsQueue(const void* stored) {
  const ULONG type = *static_cast<const ULONG*>(stored);
  return type == IO_TYPE_CSQ || type == IO_TYPE_CSQ_EX;
}

PIO_CSQ QueueOf(void* stored) {
  return IsQueue(stored) ? static_cast<PIO_CSQ>(stored) : static_cast<PIO_CSQ_IRP_CONTEXT>(stored)->Csq;
}

void Forget(IRP* irp) {
  void* stored = irp->Tail.Overlay.DriverContext[3];
  if (stored && !IsQueue(stored)) static_cast<PIO_CSQ_IRP_CONTEXT>(stored)->Irp = nullptr;
  irp->Tail.Overlay.DriverContext[3] = nullptr;
}

VOID NTIO_MS_ABI Cancel(PDEVICE_OBJECT, PIRP irp) {
  ReleaseCancelSpinLock(irp->CancelIrql);
  PIO_CSQ csq = QueueOf(irp->Tail.Overlay.DriverContext[3]);
  KIRQL irql;
  nt::CallDriver(csq->CsqAcquireLock, csq, &irql);
  nt::CallDriver(csq->CsqRemoveIrp, csq, irp);
  Forget(irp);
  nt::CallDriver(csq->CsqReleaseLock, csq, irql);
  nt::CallDriver(csq->CsqCompleteCanceledIrp, csq, irp);
}

/// Under the queue's lock. @returns whether the IRP is the caller's now; false: its cancel routine is running
bool Take(PIO_CSQ csq, IRP* irp) {
  if (!IoSetCancelRoutine(irp, nullptr)) return false;
  nt::CallDriver(csq->CsqRemoveIrp, csq, irp);
  Forget(irp);
  return true;
}

}  // namespace

Status CsqInitialize(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                     PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release,
                     PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  *csq = {type, insert, remove, peek, acquire, release, complete, nullptr};
  return STATUS_SUCCESS;
}

Status CsqInsertIrpEx(PIO_CSQ csq, IRP* irp, PIO_CSQ_IRP_CONTEXT context, void* insert_context) {
  KIRQL irql;
  if (context) {
    context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
    context->Irp = irp;
    context->Csq = csq;
    irp->Tail.Overlay.DriverContext[3] = context;
  } else {
    irp->Tail.Overlay.DriverContext[3] = csq;
  }
  nt::CallDriver(csq->CsqAcquireLock, csq, &irql);
  NTSTATUS status = STATUS_SUCCESS;
  if (csq->Type == IO_TYPE_CSQ_EX) {
    auto insert = reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(reinterpret_cast<void*>(csq->CsqInsertIrp));
    status = nt::CallDriver(insert, csq, irp, insert_context);
    if (!NT_SUCCESS(status)) {
      Forget(irp);
      nt::CallDriver(csq->CsqReleaseLock, csq, irql);
      return status;
    }
  } else {
    nt::CallDriver(csq->CsqInsertIrp, csq, irp);
  }
  IoMarkIrpPending(irp);
  IoSetCancelRoutine(irp, Cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, nullptr)) {
    // Cancelled before the routine was there: done here.
    nt::CallDriver(csq->CsqRemoveIrp, csq, irp);
    Forget(irp);
    nt::CallDriver(csq->CsqReleaseLock, csq, irql);
    nt::CallDriver(csq->CsqCompleteCanceledIrp, csq, irp);
    return status;
  }
  nt::CallDriver(csq->CsqReleaseLock, csq, irql);
  return status;
}

IRP* CsqRemoveNextIrp(PIO_CSQ csq, void* peek_context) {
  KIRQL irql;
  nt::CallDriver(csq->CsqAcquireLock, csq, &irql);
  IRP* irp = nullptr;
  for (;;) {
    irp = nt::CallDriver(csq->CsqPeekNextIrp, csq, irp, peek_context);
    if (!irp || Take(csq, irp)) break;
  }
  nt::CallDriver(csq->CsqReleaseLock, csq, irql);
  return irp;
}

IRP* CsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context) {
  KIRQL irql;
  nt::CallDriver(csq->CsqAcquireLock, csq, &irql);
  IRP* irp = context->Irp;
  if (irp && !Take(csq, irp)) irp = nullptr;
  nt::CallDriver(csq->CsqReleaseLock, csq, irql);
  return irp;
}

}  // namespace nt::io
