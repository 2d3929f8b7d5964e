// .inf files: what an installation puts into the registry.
#include <gtest/gtest.h>

#include "src/cm/test_registry.h"

namespace nt::cm {
namespace {

const std::u16string kService = std::u16string(kServicesPath) + u"\\SampleFilter";

// A minifilter's file, written for this test.
constexpr char kFilter[] = R"([Version]
Signature   = "$Windows NT$"   ; comment
Class       = "ActivityMonitor"
ClassGuid   = {b86dff51-a31e-4bac-b3cf-e8cfe75c9fc2}
Provider    = %Provider%

[DestinationDirs]
Sample.Files = 12

[DefaultInstall.NTamd64]
CopyFiles = Sample.Files

[DefaultInstall.NTamd64.Services]
AddService = %Name%,, Sample.Service

[DefaultInstall.NTx86.Services]
AddService = WrongService,,Sample.Service

[Sample.Service]
DisplayName    = %Name%
Description    = "%Long%, really"
ServiceBinary  = %12%\%Name%.sys
Dependencies   = "FltMgr", +Base
ServiceType    = 2               ; SERVICE_FILE_SYSTEM_DRIVER
StartType      = 0x3
ErrorControl   = 1
LoadOrderGroup = "FSFilter Activity Monitor"
AddReg         = Sample.AddRegistry, \
                 Sample.More

[Sample.AddRegistry]
HKR,,"DebugFlags",0x00010001 ,0x1F
HKR,"Instances","DefaultInstance",0x00000000,%Instance%
HKR,"Instances\"%Instance%,"Altitude",0x00000000,"370030"
HKR,"Instances\"%Instance%,"Flags",0x00010001,0x0

[Sample.More]
HKR,,Words,0x00010000,one,"two, three",four
HKR,,Path,0x00020000,"%%SystemRoot%%\x; y"
HKR,,Bytes,1,01,ff,0x7
HKR,,Quad,0x000B0001,1,0,0,0,0,0,0,0
HKR,,Quote,,"say ""hello"""
HKR,,DebugFlags,0x00010003,99
HKR,Empty
HKLM,Software\Sample,Value,,x

[Strings]
Provider = "Someone"
Name     = "SampleFilter"
Long     = "A sample"
Instance = "Sample Instance"
)";

class InfTest : public RegistryTest {
 protected:
  NTSTATUS Load(std::string_view text) { return LoadInf(text, &why_); }
  std::string why_;
};

std::vector<UCHAR> Data(std::u16string_view name) {
  auto value = QueryValue(kService, name);
  return value.ok() ? value->data : std::vector<UCHAR>{0xBA, 0xD0};
}
std::u16string List(std::u16string_view name) {
  std::u16string text;
  const auto data = Data(name);
  for (size_t i = 0; i + 1 < data.size(); i += 2) text += data[i] ? static_cast<char16_t>(data[i]) : u'|';
  return text;
}

TEST_F(InfTest, MinifilterIsInstalled) {
  ASSERT_EQ(Load(kFilter), STATUS_SUCCESS) << why_;
  EXPECT_EQ(Number(QueryDword(kService, u"Type")), 2);
  EXPECT_EQ(Number(QueryDword(kService, u"Start")), 3);
  EXPECT_EQ(Number(QueryDword(kService, u"ErrorControl")), 1);
  EXPECT_EQ(Text(QueryString(kService, u"Group")), u"FSFilter Activity Monitor");
  EXPECT_EQ(Text(QueryString(kService, u"ImagePath")), u"\\SystemRoot\\System32\\drivers\\SampleFilter.sys");
  EXPECT_EQ(Text(QueryString(kService, u"DisplayName")), u"SampleFilter");
  EXPECT_EQ(Text(QueryString(kService, u"Description")), u"A sample, really");
  EXPECT_EQ(List(u"DependOnService"), u"FltMgr||");
  EXPECT_EQ(List(u"DependOnGroup"), u"Base||");
  EXPECT_EQ(Number(QueryDword(kService, u"DebugFlags")), 0x1F) << "NOCLOBBER keeps the first";
  EXPECT_EQ(Text(QueryString(kService + u"\\Instances", u"DefaultInstance")), u"Sample Instance");
  EXPECT_EQ(Text(QueryString(kService + u"\\Instances\\Sample Instance", u"Altitude")), u"370030");
  EXPECT_EQ(Number(QueryDword(kService + u"\\Instances\\Sample Instance", u"Flags")), 0);
  EXPECT_EQ(List(u"Words"), u"one|two, three|four||");
  EXPECT_EQ(Text(QueryString(kService, u"Path")), u"%SystemRoot%\\x; y");
  EXPECT_EQ(Data(u"Bytes"), (std::vector<UCHAR>{1, 255, 7}));
  EXPECT_EQ(Data(u"Quad"), (std::vector<UCHAR>{1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(Text(QueryString(kService, u"Quote")), u"say \"hello\"");
  EXPECT_TRUE(KeyExists(kService + u"\\Empty"));
  EXPECT_EQ(Text(QueryString(u"\\Registry\\Machine\\Software\\Sample", u"Value")), u"x");
  EXPECT_FALSE(KeyExists(std::u16string(kServicesPath) + u"\\WrongService"));
}

TEST_F(InfTest, AppendOverwriteAndDelete) {
  ASSERT_EQ(SetDword(kService, u"Old", 1), STATUS_SUCCESS);
  ASSERT_EQ(CreateKey(kService + u"\\OldKey\\Below"), STATUS_SUCCESS);
  ASSERT_EQ(Load("[Version]\nSignature=$CHICAGO$\n[DefaultInstall]\nAddReg=A\nDelReg=D\n[A]\n"
                 "HKLM,%Key%,L,0x00010000,a,b\nHKLM,%Key%,L,0x00010008,B,c\n"
                 "HKLM,%Key%,Missing,0x00010021,5\nHKLM,%Key%,L2,0x10008,x\nHKLM,%Key%,Neg,0x10001,-1\n"
                 "[D]\nHKLM,%Key%,Old\nHKLM,%Key%\\OldKey\n[Strings]\n"
                 "Key=System\\CurrentControlSet\\Services\\SampleFilter\n"),
            STATUS_SUCCESS)
      << why_;
  EXPECT_EQ(List(u"L"), u"a|b|c||");
  EXPECT_EQ(List(u"L2"), u"x||");
  EXPECT_EQ(Number(QueryDword(kService, u"Missing")), -1) << "OVERWRITEONLY";
  EXPECT_EQ(Number(QueryDword(kService, u"Neg")), 0xFFFFFFFFll);
  EXPECT_EQ(Number(QueryDword(kService, u"Old")), -1);
  EXPECT_FALSE(KeyExists(kService + u"\\OldKey"));
}

TEST_F(InfTest, ModelsOfADeviceAndDecorations) {
  ASSERT_EQ(Load("[Version]\nSignature=\"$Windows NT$\"\nClassGuid={G}\n"
                 "[Manufacturer]\n%M%=Models,NTx86,NTamd64,NTamd64.6.1,NTamd64.99.0\n"
                 "[Models]\nd=Bad,ID\n[Models.NTx86]\nd=Bad,ID\n[Models.NTamd64]\nd=Bad,ID\n[Models.NTamd64.99.0]\nd=Bad,ID\n"
                 "[Models.NTamd64.6.1]\n%D%=Good,PCI\\X\n%D%=good,PCI\\Y\n"
                 "[Good.NT]\nAddReg=R\n[R]\nHKR,,Loader,,x\n"
                 "[Good.NT.Services]\nAddService=,2\nAddService=Disk1,2,S\n"
                 "[S]\nServiceType=1\nStartType=0\nErrorControl=1\nServiceBinary=%13%\\d.sys\n"
                 "[Strings]\nM=m\nD=d\n"),
            STATUS_SUCCESS)
      << why_;
  EXPECT_EQ(Text(QueryString(std::u16string(kServicesPath) + u"\\Disk1", u"ImagePath")),
            u"\\SystemRoot\\System32\\drivers\\d.sys");
  EXPECT_EQ(Text(QueryString(std::u16string(kControlPath) + u"\\Class\\{G}\\0000", u"Loader")), u"x");
}

TEST_F(InfTest, AnErrorNamesItsLineAndChangesNothing) {
  const std::string head = "[Version]\nSignature=\"$Windows NT$\"\n";
  const std::string service = "[S]\nServiceType=2\nStartType=3\nErrorControl=1\nServiceBinary=x.sys\n";
  const struct {
    std::string text;
    const char* why;
  } kCases[] = {
      {"", "line 1: no [Version]"},
      {"x=1\n", "line 1: text before the first section"},
      {"[Version\n", "line 1: a section name without ]"},
      {"[Version] x\n", "line 1: unexpected text"},
      {"[]\n", "line 1: an empty section name"},
      {"\n[Version]\n", "line 2: [Version] has no Signature"},
      {"[Version]\nSignature=OS/2\n", "line 2: the Signature"},
      {head, "line 1: no [DefaultInstall]"},
      {head + "[DefaultInstall.Services]\nAddService=A,,S\n", "line 4: there is no section [S]"},
      {head + "[DefaultInstall.Services]\nAddService=A,,S\n[S]\nServiceType=2\n", "line 5: a service without StartType"},
      {head + "[DefaultInstall.Services]\nAddService=A,,S\n[S]\nServiceType=two\n", "line 6: \"two\" is no number"},
      {head + "[DefaultInstall.Services]\nAddService=A\\B,,S\n" + service, "line 4: a service name with"},
      {head + "[DefaultInstall]\nAddReg=None\n", "line 4: there is no section [None]"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKR,,x,,y\n", "line 6: HKR has no meaning"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKXX,,x,,y\n", "line 6: no root key"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,a,x,zz,y\n", "line 6: the flags"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,a,x,0x100,y\n", "line 6: unknown flags"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,a,x,0x10001,4294967296\n", "line 6: \"4294967296\" is no 32-bit"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,a,x,1,100\n", "line 6: \"100\" is no hexadecimal byte"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,a,x,8,y\n", "line 6: only strings lists"},
      {head + "[DefaultInstall]\nAddReg=R\n[R]\nHKLM,\"a\n", "line 6: a quote is not closed"},
      {head + "[DefaultInstall]\nDelReg=R\n[R]\nHKLM\n", "line 6: a root key cannot be deleted"},
      {head + "[Manufacturer]\nm=Models\n[Models]\nd=Missing,x\n", "line 6: there is no install section [Missing]"},
  };
  for (const auto& test : kCases) {
    why_.clear();
    EXPECT_EQ(Load(test.text), STATUS_REGISTRY_CORRUPT) << test.text;
    EXPECT_EQ(why_.substr(0, std::string_view(test.why).size()), test.why) << test.text;
    EXPECT_FALSE(KeyExists(std::u16string(kServicesPath) + u"\\A"));
  }
}

TEST_F(InfTest, CutAnywhereItNeitherCrashesNorHangs) {
  const std::string_view whole(kFilter);
  for (size_t length = 0; length <= whole.size(); length++) {
    const NTSTATUS status = Load(whole.substr(0, length));
    EXPECT_TRUE(status == STATUS_SUCCESS || (status == STATUS_REGISTRY_CORRUPT && !why_.empty())) << length;
  }
}

}  // namespace
}  // namespace nt::cm
