import { adapterFor, require } from './library.mjs';

require('@tensorflow/tfjs-backend-cpu');
export const adapter = await adapterFor('cpu');
