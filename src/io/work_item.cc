// Work items: a routine that runs in a system worker thread while its device (or driver) object is kept.
#include "src/io/internal.h"

struct _IO_WORKITEM {
  WORK_QUEUE_ITEM item;
  PIO_WORKITEM_ROUTINE routine;
  PIO_WORKITEM_ROUTINE_EX routine_ex;
  void* object;  // a device or a driver
  void* context;
};

namespace nt::io {
namespace {

void NTIO_MS_ABI Run(void* raw) {
  auto* work = static_cast<PIO_WORKITEM>(raw);
  // The routine may free or queue the item again.
  void* object = work->object;
  void* context = work->context;
  if (work->routine_ex)
    nt::CallDriver(work->routine_ex, object, context, work);
  else
    nt::CallDriver(work->routine, static_cast<DEVICE_OBJECT*>(object), context);
  ob::DereferenceObject(object);
}

void Queue(PIO_WORKITEM work, WORK_QUEUE_TYPE queue, void* context) {
  work->context = context;
  ob::ReferenceObject(work->object);
  work->item.WorkerRoutine = Run;
  work->item.Parameter = work;
  ex::QueueWorkItem(&work->item, queue);
}

}  // namespace

ULONG SizeofWorkItem() { return sizeof(_IO_WORKITEM); }

void InitializeWorkItem(void* object, PIO_WORKITEM work) {
  *work = {};
  work->object = object;
}

PIO_WORKITEM AllocateWorkItem(DEVICE_OBJECT* device) {
  auto* work = ex::PoolNew<_IO_WORKITEM>('iWoI');
  if (work) InitializeWorkItem(device, work);
  return work;
}

void FreeWorkItem(PIO_WORKITEM work) { ex::PoolDelete(work); }

void QueueWorkItem(PIO_WORKITEM work, PIO_WORKITEM_ROUTINE routine, WORK_QUEUE_TYPE queue, void* context) {
  work->routine = routine;
  work->routine_ex = nullptr;
  Queue(work, queue, context);
}

void QueueWorkItemEx(PIO_WORKITEM work, PIO_WORKITEM_ROUTINE_EX routine, WORK_QUEUE_TYPE queue, void* context) {
  work->routine_ex = routine;
  work->routine = nullptr;
  Queue(work, queue, context);
}

}  // namespace nt::io
