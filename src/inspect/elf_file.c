/* SPDX-License-Identifier: MIT */
/*
 * What an ELF file asks of the loader: its interpreter, the libraries it needs, its
 * run path. elf.h has the structures; only the headers, the dynamic section and its
 * strings are read, since reading whole libraries would be most of the time of a check.
 * Every offset is the file's own word, so every read is bounded and may fail.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <elf.h>
#include <endian.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HEAD = 4096, /* bytes at the beginning, which mostly hold all headers */
    HEADERS_MAX = 64,
    DYNAMIC_MAX = 1024 * 1024,
    STRINGS_MAX = 4 * 1024 * 1024,
    NEEDED_MAX = 200
};

/* A file while it is read; 32-bit headers are widened on the way in. */
struct reading {
    const struct root *root;
    const char *path;
    uint64_t size; /* bytes */
    struct blob head;
    Elf64_Phdr headers[HEADERS_MAX];
    size_t count;
    bool wide;
};

static int begin(struct reading *reading)
{
    return root_read_part(reading->root, reading->path, 0,
                          reading->size < HEAD ? (size_t)reading->size : HEAD, &reading->head,
                          NULL);
}

static int read_bytes(const struct reading *reading, uint64_t offset, size_t len, struct blob *ret)
{
    if (offset <= reading->head.len && len <= reading->head.len - offset) {
        *ret = blob_copy(reading->head.data + offset, len);
        return 0;
    }
    return root_read_part(reading->root, reading->path, offset, len, ret, NULL);
}

static void widen(const Elf32_Phdr *from, Elf64_Phdr *to)
{
    *to = (Elf64_Phdr){ .p_type = from->p_type,
                        .p_offset = from->p_offset,
                        .p_vaddr = from->p_vaddr,
                        .p_filesz = from->p_filesz };
}

static int read_headers(struct reading *reading, uint64_t offset, size_t count, size_t size)
{
    size_t wanted = reading->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    auto_blob struct blob bytes = { 0 };

    if (count > HEADERS_MAX || size != wanted ||
        read_bytes(reading, offset, count * size, &bytes) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        Elf32_Phdr narrow;

        if (reading->wide) {
            memcpy(&reading->headers[i], bytes.data + i * size, size);
            continue;
        }
        memcpy(&narrow, bytes.data + i * size, size);
        widen(&narrow, &reading->headers[i]);
    }
    reading->count = count;
    return 0;
}

/* Only files in the byte order of this machine: a rescue system is of the victim's kind. */
static int read_ident(struct reading *reading, struct elf_file *ret)
{
    auto_blob struct blob bytes = { 0 };
    unsigned char order = htole16(1) == 1 ? ELFDATA2LSB : ELFDATA2MSB;
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (read_bytes(reading, 0, sizeof wide, &bytes) < 0 ||
        memcmp(bytes.data, ELFMAG, SELFMAG) != 0 || bytes.data[EI_DATA] != order)
        return -1;
    reading->wide = ret->wide = bytes.data[EI_CLASS] == ELFCLASS64;
    memcpy(&wide, bytes.data, sizeof wide);
    memcpy(&narrow, bytes.data, sizeof narrow);
    ret->machine = wide.e_machine; /* at the same place in both */
    if (wide.e_type != ET_EXEC && wide.e_type != ET_DYN)
        return -1;
    if (reading->wide)
        return read_headers(reading, wide.e_phoff, wide.e_phnum, wide.e_phentsize);
    return read_headers(reading, narrow.e_phoff, narrow.e_phnum, narrow.e_phentsize);
}

static const Elf64_Phdr *header_of(const struct reading *reading, uint32_t type)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->headers[i].p_type == type)
            return &reading->headers[i];
    return NULL;
}

/* Where in the file an address of the loaded program is. */
static bool offset_of(const struct reading *reading, uint64_t address, uint64_t *ret)
{
    for (size_t i = 0; i < reading->count; i++) {
        const Elf64_Phdr *header = &reading->headers[i];

        if (header->p_type == PT_LOAD && address >= header->p_vaddr &&
            address - header->p_vaddr < header->p_filesz) {
            *ret = header->p_offset + (address - header->p_vaddr);
            return true;
        }
    }
    return false;
}

struct dynamic {
    uint64_t strings, strings_len, run_path;
    uint64_t needed[NEEDED_MAX];
    size_t needed_count;
    bool has_run_path;
};

static void take_tag(struct dynamic *dynamic, int64_t tag, uint64_t value)
{
    if (tag == DT_STRTAB)
        dynamic->strings = value;
    else if (tag == DT_STRSZ)
        dynamic->strings_len = value;
    else if (tag == DT_NEEDED && dynamic->needed_count < NEEDED_MAX)
        dynamic->needed[dynamic->needed_count++] = value;
    else if (tag == DT_RUNPATH || tag == DT_RPATH) {
        dynamic->run_path = value;
        dynamic->has_run_path = true;
    }
}

static int read_dynamic(const struct reading *reading, const Elf64_Phdr *header,
                        struct dynamic *ret)
{
    size_t size = reading->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
    auto_blob struct blob bytes = { 0 };

    if (header->p_filesz > DYNAMIC_MAX ||
        read_bytes(reading, header->p_offset, (size_t)header->p_filesz, &bytes) < 0)
        return -1;
    for (size_t at = 0; at + size <= bytes.len; at += size) {
        Elf64_Dyn wide;
        Elf32_Dyn narrow;

        if (reading->wide) {
            memcpy(&wide, bytes.data + at, size);
        } else {
            memcpy(&narrow, bytes.data + at, size);
            wide = (Elf64_Dyn){ .d_tag = narrow.d_tag, .d_un = { .d_val = narrow.d_un.d_val } };
        }
        if (wide.d_tag == DT_NULL)
            break;
        take_tag(ret, wide.d_tag, wide.d_un.d_val);
    }
    return 0;
}

static char *string_at(const struct blob *strings, uint64_t offset)
{
    return offset < strings->len ? xstrdup((const char *)strings->data + offset) : xstrdup("");
}

static int read_needs(const struct reading *reading, struct elf_file *ret)
{
    const Elf64_Phdr *header = header_of(reading, PT_DYNAMIC);
    struct dynamic dynamic = { 0 };
    auto_blob struct blob strings = { 0 };
    size_t count = 0;
    uint64_t offset;

    if (header &&
        (read_dynamic(reading, header, &dynamic) < 0 ||
         !offset_of(reading, dynamic.strings, &offset) || dynamic.strings_len > STRINGS_MAX ||
         read_bytes(reading, offset, (size_t)dynamic.strings_len, &strings) < 0))
        return -1;
    for (size_t i = 0; i < dynamic.needed_count; i++) {
        char *name = string_at(&strings, dynamic.needed[i]);

        array_push(ret->needed, count, name);
    }
    array_push(ret->needed, count, NULL);
    if (dynamic.has_run_path)
        ret->run_path = string_at(&strings, dynamic.run_path);
    return 0;
}

/* A library cut short ends before its last segment does. */
static bool whole(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->headers[i].p_type == PT_LOAD &&
            (reading->headers[i].p_offset > reading->size ||
             reading->headers[i].p_filesz > reading->size - reading->headers[i].p_offset))
            return false;
    return true;
}

static void end(struct reading *reading)
{
    blob_free(&reading->head);
}

int elf_file_read(const struct root *root, const char *path, uint64_t size, struct elf_file *ret)
{
    auto_with(end) struct reading reading = { .root = root, .path = path, .size = size };
    auto_with(elf_file_free) struct elf_file file = { 0 };
    const Elf64_Phdr *interpreter;
    auto_blob struct blob name = { 0 };

    if (begin(&reading) < 0 || read_ident(&reading, &file) < 0 || !whole(&reading) ||
        read_needs(&reading, &file) < 0)
        return -1;
    interpreter = header_of(&reading, PT_INTERP);
    if (interpreter && interpreter->p_filesz < 4096 &&
        read_bytes(&reading, interpreter->p_offset, (size_t)interpreter->p_filesz, &name) == 0)
        file.interpreter = xstrdup((const char *)name.data);
    *ret = file;
    file = (struct elf_file){ 0 };
    return 0;
}

void elf_file_free(struct elf_file *file)
{
    free(file->interpreter);
    free(file->run_path);
    text_list_free(&file->needed);
    *file = (struct elf_file){ 0 };
}
