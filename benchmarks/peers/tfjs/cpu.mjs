import '@tensorflow/tfjs-backend-cpu';
import { adapterFor } from './adapter.mjs';

export const adapter = await adapterFor('cpu');
