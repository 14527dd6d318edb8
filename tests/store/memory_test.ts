import { memoryJournal } from "../../src/store/memory.ts";
import { exerciseJournal } from "../support/exercise_journal.ts";

exerciseJournal("memory", () => Promise.resolve(memoryJournal()));
