/* start.c - from reset to main, and a counter of instructions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include <string.h>

extern char load_data[], begin_data[], end_data[], begin_bss[], end_bss[];
extern uint32_t top_of_stack[];
int main(void);

static void leave(int status) {
  uintptr_t block[2];
  block[0] = 0x20026; /* application exit */
  block[1] = (uintptr_t)status;
  for (;;)
    host(0x20, block);
}

static void begin(void) {
  memcpy(begin_data, load_data, (size_t)(end_data - begin_data));
  memset(begin_bss, 0, (size_t)(end_bss - begin_bss));
  leave(main());
}

#if defined(__riscv)

/* csrw mtvec and csrr minstret by their codes: rv32imac has no names for
 * them. */
__attribute__((naked, section(".vectors"), used)) void reset(void) {
  __asm__ volatile("la sp, top_of_stack\nla t0, fault\n"
                   ".insn i 0x73, 1, x0, t0, 0x305\nj enter");
}
__attribute__((used)) void enter(void) { begin(); }
__attribute__((used, aligned(4))) void fault(void) {
  host(0x04, "fault\n");
  leave(99);
}

static uint32_t from;
static uint32_t now(void) {
  uint32_t count;
  __asm__ volatile(".insn i 0x73, 2, %0, x0, -1278" : "=r"(count));
  return count;
}
void count_start(void) { from = now(); }
uint64_t count_read(void) { return now() - from; }

#else

static volatile uint32_t wraps;
static void fault(void) {
  host(0x04, "fault\n");
  leave(99);
}
static void tick(void) { ++wraps; }
static void reset(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* coprocessors 10, 11 */
  __asm__ volatile("dsb\n isb");
#endif
  begin();
}

/* A tick of SysTick is PER_TICK thousandths of an instruction. */
static volatile uint32_t *const systick = (uint32_t *)0xe000e010;
void count_start(void) {
  systick[0] = 0;
  wraps = 0;
  systick[1] = 0xffffff;
  systick[2] = 0;
  systick[0] = 7;
  while (systick[2] == 0) {
  }
}
uint64_t count_read(void) {
  uint32_t high, low;
  do {
    high = wraps;
    low = systick[2];
  } while (high != wraps);
  return (((uint64_t)high << 24) + (0xffffff - low)) * PER_TICK / 1000;
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] =
    {top_of_stack, (void *)reset, (void *)fault, (void *)fault, (void *)fault,
     (void *)fault, (void *)fault, (void *)fault, 0, 0, 0, (void *)fault,
     (void *)fault, 0, (void *)fault, (void *)tick};

#endif
