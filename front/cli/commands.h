// The commands. Each Add... puts one into the application; its callback does the work and throws CommandFailed.
#pragma once

#include <CLI/CLI.hpp>

namespace cli {

void AddLs(CLI::App& app);
void AddCat(CLI::App& app);
void AddCp(CLI::App& app);
void AddRm(CLI::App& app);
void AddMkdir(CLI::App& app);
void AddStat(CLI::App& app);
void AddInfo(CLI::App& app);
void AddTree(CLI::App& app);

}  // namespace cli
