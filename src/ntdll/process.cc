// Process: a machine's process for a host program, and the threads that run in it.
#include "src/base/check.h"
#include "src/io/io.h"
#include "src/machine/machine.h"
#include "src/ntdll/request.h"
#include "src/ob/ob.h"

#include "ntio/ntdll.h"

namespace nt::ntdll {

namespace {
thread_local ps::Process* t_process = nullptr;
}  // namespace

ps::Process* AttachedProcess() { return t_process; }

}  // namespace nt::ntdll

namespace ntio {

struct Process::State {
  nt::ps::Process* process = nullptr;  // referenced
};

Process::Process(Machine& machine, const std::u16string& image) : state_(std::make_unique<State>()) {
  if (!machine.booted().ok()) {
    created_ = machine.booted().failure();
    return;
  }
  nt::Status status = STATUS_SUCCESS;
  const bool alive = nt::ke::CallIntoMachine([&] {
    nt::ke::ServiceScope scope(nullptr, KernelMode);
    nt::io::SetRequestDoneHook(nt::ntdll::Request::Done);
    status = nt::ps::CreateProcess(image, nullptr, &state_->process);
  });
  if (!alive)
    created_ = Failure{FailureKind::kBugCheck, 0, "the machine has stopped (bug check)"};
  else if (!status.ok())
    created_ = Failure{FailureKind::kRequest, static_cast<NTSTATUS>(status), "the process cannot be created"};
}

Process::~Process() {
  nt::ps::Process* process = std::exchange(state_->process, nullptr);
  if (!process || !nt::machine::IsBooted()) return;
  CHECK_MSG(nt::ntdll::t_process != process, "a Process is destroyed by a thread that runs in it");
  nt::ke::CallIntoMachine([&] {
    nt::ke::ServiceScope scope(nullptr, KernelMode);
    nt::ps::TerminateProcess(process, STATUS_SUCCESS);
    nt::ob::DereferenceObject(process);
  });
}

int Process::Run(const std::function<int()>& program) {
  Attachment attachment(*this);
  return program();
}

Process::Attachment::Attachment(Process& process)
    : outer_(std::exchange(nt::ntdll::t_process, process.state_->process)) {}
Process::Attachment::~Attachment() { nt::ntdll::t_process = static_cast<nt::ps::Process*>(outer_); }

}  // namespace ntio
