//===- MergeObjects.cpp - Relocatable ELF objects into one ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Parts of a model are compiled side by side, but a model is one file. Sections
// are kept as they are, one behind the other, so no address changes: symbols
// are resolved by name and numbers of sections and symbols are rewritten.
//===----------------------------------------------------------------------===//
#include "Program.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/MC/StringTableBuilder.h"
#include "llvm/Object/ELF.h"

using namespace llvm;
using namespace qopt;

namespace {
template <class ELFT> class Merger {
public:
  using File = object::ELFFile<ELFT>;
  using Shdr = typename ELFT::Shdr;
  using Sym = typename ELFT::Sym;

  Error add(StringRef bytes) {
    Expected<File> file = File::create(bytes);
    if (!file)
      return file.takeError();
    files.push_back(*file);
    return Error::success();
  }

  Expected<std::string> merge() {
    for (const File &file : files)
      inputs.emplace_back().file = &file;
    for (Input &input : inputs)
      if (Error error = readSections(input))
        return error;
    for (Input &input : inputs)
      if (Error error = readSymbols(input))
        return error;
    numberSymbols();
    for (Input &input : inputs)
      if (Error error = rewriteRelocations(input))
        return error;
    return write();
  }

private:
  struct Input {
    const File *file = nullptr;
    /// Output numbers of its sections; 0: dropped.
    SmallVector<uint32_t> sections;
    const Shdr *symbolTable = nullptr;
    /// Which entry of `symbols` a symbol became.
    SmallVector<size_t> symbols;
  };
  struct Section {
    Shdr header;
    StringRef name;
    std::string bytes;
    uint32_t target = 0; ///< of a relocation section
  };
  struct Symbol {
    Sym entry;
    StringRef name;
    uint32_t number = 0;
  };

  static bool isRelocation(const Shdr &header) {
    return header.sh_type == ELF::SHT_REL || header.sh_type == ELF::SHT_RELA;
  }

  Error readSections(Input &input) {
    auto headers = input.file->sections();
    if (!headers)
      return headers.takeError();
    input.sections.assign(headers->size(), 0);
    for (auto [index, header] : enumerate(*headers)) {
      auto name = input.file->getSectionName(header);
      if (!name)
        return name.takeError();
      if (header.sh_type == ELF::SHT_SYMTAB)
        input.symbolTable = &header;
      if (is_contained({ELF::SHT_NULL, ELF::SHT_SYMTAB, ELF::SHT_STRTAB,
                        ELF::SHT_LLVM_ADDRSIG},
                       unsigned(header.sh_type)))
        continue;
      if (header.sh_type == ELF::SHT_GROUP ||
          header.sh_flags & (ELF::SHF_GROUP | ELF::SHF_LINK_ORDER))
        return createStringError("section groups cannot be merged");
      // An empty marker says the same once or several times.
      if (header.sh_size == 0 && !(header.sh_flags & ELF::SHF_ALLOC) &&
          !markers.insert(*name).second)
        continue;
      Section section{header, *name, ""};
      if (header.sh_type != ELF::SHT_NOBITS) {
        auto bytes = input.file->getSectionContents(header);
        if (!bytes)
          return bytes.takeError();
        section.bytes.assign(bytes->begin(), bytes->end());
      }
      sections.push_back(std::move(section));
      input.sections[index] = sections.size();
    }
    return Error::success();
  }

  size_t addSymbol(const Sym &entry, StringRef name) {
    symbols.push_back({entry, name});
    return symbols.size() - 1;
  }

  Error readSymbols(Input &input) {
    if (!input.symbolTable)
      return Error::success();
    auto entries = input.file->symbols(input.symbolTable);
    auto strings = input.file->getStringTableForSymtab(*input.symbolTable);
    if (!entries)
      return entries.takeError();
    if (!strings)
      return strings.takeError();
    for (const Sym &given : *entries) {
      auto name = given.getName(*strings);
      if (!name)
        return name.takeError();
      Sym entry = given;
      if (given.st_shndx != ELF::SHN_UNDEF &&
          given.st_shndx < ELF::SHN_LORESERVE)
        entry.st_shndx = input.sections[given.st_shndx];
      if (given.getBinding() == ELF::STB_LOCAL) {
        input.symbols.push_back(addSymbol(entry, *name));
        continue;
      }
      auto [known, isNew] = globals.try_emplace(*name, symbols.size());
      if (isNew) {
        addSymbol(entry, *name);
      } else if (given.st_shndx != ELF::SHN_UNDEF) {
        Symbol &other = symbols[known->second];
        if (other.entry.st_shndx != ELF::SHN_UNDEF)
          return createStringError("'" + *name + "' is defined twice");
        other.entry = entry;
      }
      input.symbols.push_back(known->second);
    }
    return Error::success();
  }

  /// What is hidden from other objects belongs to this one alone.
  void numberSymbols() {
    for (Symbol &symbol : symbols)
      if (symbol.entry.st_shndx != ELF::SHN_UNDEF &&
          symbol.entry.getVisibility() == ELF::STV_HIDDEN) {
        symbol.entry.setBinding(ELF::STB_LOCAL);
        symbol.entry.setVisibility(ELF::STV_DEFAULT);
      }
    // Number 0 is the empty symbol that every table begins with.
    uint32_t next = 1;
    for (bool local : {true, false}) {
      for (Symbol &symbol : symbols)
        if ((symbol.entry.getBinding() == ELF::STB_LOCAL) == local &&
            !isEmpty(symbol)) {
          symbol.number = next++;
          order.push_back(&symbol);
        }
      if (local)
        firstGlobal = next;
    }
  }

  static bool isEmpty(const Symbol &symbol) {
    return symbol.name.empty() && symbol.entry.st_shndx == ELF::SHN_UNDEF;
  }

  Error rewriteRelocations(Input &input) {
    for (uint32_t number : input.sections) {
      if (!number)
        continue;
      Section &section = sections[number - 1];
      if (!isRelocation(section.header))
        continue;
      section.target = input.sections[section.header.sh_info];
      bool isBad = section.header.sh_type == ELF::SHT_RELA
                       ? renumber<typename ELFT::Rela>(section, input)
                       : renumber<typename ELFT::Rel>(section, input);
      if (isBad)
        return createStringError("a relocation names no symbol");
    }
    return Error::success();
  }

  template <typename Entry>
  bool renumber(Section &section, const Input &input) {
    MutableArrayRef<Entry> entries(
        reinterpret_cast<Entry *>(section.bytes.data()),
        section.bytes.size() / sizeof(Entry));
    for (Entry &entry : entries) {
      uint32_t old = entry.getSymbol(/*isMips64EL=*/false);
      if (old >= input.symbols.size())
        return true;
      entry.setSymbol(symbols[input.symbols[old]].number, false);
    }
    return false;
  }
  std::string writeSymbols(StringTableBuilder &names) {
    for (Symbol *symbol : order)
      names.add(CachedHashStringRef(symbol->name));
    names.finalizeInOrder();
    std::string bytes(sizeof(Sym), '\0');
    for (Symbol *symbol : order) {
      symbol->entry.st_name =
          names.getOffset(CachedHashStringRef(symbol->name));
      bytes.append(reinterpret_cast<const char *>(&symbol->entry), sizeof(Sym));
    }
    return bytes;
  }

  void addTable(StringRef name, unsigned type, std::string bytes) {
    Section section{{}, name, std::move(bytes)};
    std::memset(&section.header, 0, sizeof(Shdr));
    section.header.sh_type = type;
    section.header.sh_addralign = 1;
    sections.push_back(std::move(section));
  }

  static std::string getBytes(const StringTableBuilder &table) {
    std::string bytes;
    raw_string_ostream stream(bytes);
    table.write(stream);
    return bytes;
  }

  std::string write() {
    StringTableBuilder names(StringTableBuilder::ELF);
    std::string entries = writeSymbols(names);
    uint32_t symbolTable = sections.size() + 1;
    addTable(".symtab", ELF::SHT_SYMTAB, std::move(entries));
    Shdr &table = sections.back().header;
    table.sh_link = symbolTable + 1;
    table.sh_info = firstGlobal;
    table.sh_entsize = sizeof(Sym);
    table.sh_addralign = sizeof(typename ELFT::uint);
    addTable(".strtab", ELF::SHT_STRTAB, getBytes(names));
    StringTableBuilder sectionNames(StringTableBuilder::ELF);
    for (const Section &section : sections)
      sectionNames.add(CachedHashStringRef(section.name));
    sectionNames.add(CachedHashStringRef(".shstrtab"));
    sectionNames.finalizeInOrder();
    addTable(".shstrtab", ELF::SHT_STRTAB, getBytes(sectionNames));

    typename ELFT::Ehdr header = files.front().getHeader();
    std::string out(sizeof(header), '\0');
    std::string headers(sizeof(Shdr), '\0');
    for (Section &section : sections) {
      Shdr &entry = section.header;
      if (isRelocation(entry)) {
        entry.sh_link = symbolTable;
        entry.sh_info = section.target;
      }
      entry.sh_name = sectionNames.getOffset(CachedHashStringRef(section.name));
      out.resize(
          alignTo(out.size(), std::max<uint64_t>(entry.sh_addralign, 1)));
      entry.sh_offset = out.size();
      if (entry.sh_type != ELF::SHT_NOBITS)
        entry.sh_size = section.bytes.size();
      out += section.bytes;
      headers.append(reinterpret_cast<const char *>(&entry), sizeof(Shdr));
    }
    out.resize(alignTo(out.size(), sizeof(typename ELFT::uint)));
    header.e_shoff = out.size();
    header.e_shnum = sections.size() + 1;
    header.e_shstrndx = sections.size();
    std::memcpy(out.data(), &header, sizeof(header));
    return out + headers;
  }

  std::vector<File> files;
  SmallVector<Input> inputs;
  std::vector<Section> sections; ///< number 1 first
  std::vector<Symbol> symbols;
  StringMap<size_t> globals;
  StringSet<> markers;
  std::vector<Symbol *> order;
  uint32_t firstGlobal = 1;
};
} // namespace

template <class ELFT>
static absl::StatusOr<std::string> mergeAs(ArrayRef<std::string> objects) {
  Merger<ELFT> merger;
  auto fail = [](Error error) {
    return absl::InternalError(
        absl::StrCat("merging objects failed: ", toString(std::move(error))));
  };
  for (const std::string &object : objects)
    if (Error error = merger.add(object))
      return fail(std::move(error));
  Expected<std::string> merged = merger.merge();
  if (!merged)
    return fail(merged.takeError());
  return *merged;
}

absl::StatusOr<std::string> qopt::mergeObjects(ArrayRef<std::string> objects) {
  if (objects.size() == 1)
    return objects.front();
  if (!StringRef(objects.front())
           .starts_with("\x7f"
                        "ELF"))
    return absl::UnimplementedError(
        "expects a target whose object files are ELF; choose another triple");
  auto [width, order] = object::getElfArchType(objects.front());
  bool isLittle = order == ELF::ELFDATA2LSB;
  if (width == ELF::ELFCLASS64)
    return isLittle ? mergeAs<object::ELF64LE>(objects)
                    : mergeAs<object::ELF64BE>(objects);
  return isLittle ? mergeAs<object::ELF32LE>(objects)
                  : mergeAs<object::ELF32BE>(objects);
}
