/* A call of another version is refused by its first word: nothing else of it is
 * mapped. */
#include MODEL_HEADER

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint32_t *abi = (uint32_t *)(void *)(memory + page) - 1;
  if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE))
    return 9;
  *abi = OTHER_ABI;
  return MODEL_RUN((const qopt_call *)(const void *)abi) != QOPT_EABI;
}
